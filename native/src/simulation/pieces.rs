//! Small pieces of events: ids out of random bytes, digits and instants. The words are those of
//! `producers.simulation.pieces`.

use crate::avro::put_long;
use crate::simulation::splice::SOME;
use crate::text::uuid_text;

/// Random bytes of a word and of an id.
pub const WORD_BYTES: usize = 8;
pub const ID_BYTES: usize = 16;

/// `recorded_at` and `received_at`.
pub fn instants(recorded_ms: i64, received_ms: i64) -> Vec<u8> {
    let mut made = Vec::with_capacity(16);
    made.push(SOME);
    put_long(&mut made, recorded_ms);
    put_long(&mut made, received_ms);
    made
}

/// The last digits of a number, as many as there is room for.
pub fn write_digits(mut number: u64, out: &mut [u8]) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// 16 random bytes as a uuid of version 4, as an Avro string. Source: RFC 9562.
pub fn uuid(random: &[u8]) -> [u8; 37] {
    let mut block: [u8; ID_BYTES] = random.try_into().expect("sixteen bytes");
    block[6] = 0x40 | block[6] & 0x0F;
    block[8] = 0x80 | block[8] & 0x3F;
    let mut text = [72; 37];
    text[1..].copy_from_slice(&uuid_text(&block));
    text
}
