//! What Python sees.

mod engine;
#[cfg(feature = "bench")]
mod floor;
mod messages;
mod records;
mod window;

use pyo3::prelude::*;

use crate::simulation;

#[pymodule]
fn tidings_native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // The default hook prints the panic's message, which may hold a piece of a text.
    std::panic::set_hook(Box::new(|_| {}));
    module.add_class::<engine::Engine>()?;
    module.add_class::<engine::Batch>()?;
    module.add_class::<engine::Written>()?;
    module.add_class::<messages::Messages>()?;
    module.add_class::<window::Window>()?;
    module.add_class::<crate::publish::Writer>()?;
    module.add_class::<simulation::Teller>()?;
    module.add_class::<simulation::Due>()?;
    module.add_class::<simulation::Rows>()?;
    module.add_class::<simulation::Cells>()?;
    module.add_class::<simulation::Facts>()?;
    module.add_class::<simulation::Crowd>()?;
    module.add_function(wrap_pyfunction!(crate::container::frame, module)?)?;
    module.add_function(wrap_pyfunction!(crate::container::merge, module)?)?;
    #[cfg(feature = "bench")]
    {
        module.add_class::<floor::Constant>()?;
        module.add_class::<floor::Bare>()?;
    }
    // A build from before views could be held would write them to the feed: who compiles a policy asks.
    module.add("HOLDS", true)?;
    module.add("TELLS", simulation::TELLS)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
