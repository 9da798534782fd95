//! Keyed derivations of one key group. Sources: RFC 7693 (BLAKE2b, keyed), FIPS 197 (AES-128), RFC 5297 (AES-SIV).

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::Aes128;
use aes_siv::siv::Aes256Siv;
use blake2b_simd::{Params, State};
use std::collections::HashMap;

use crate::avro::Unsupported;
use crate::text;

pub const DIGEST_BYTES: usize = 20;
/// `v1.` and 32 characters, for a key version of one digit.
pub type Digest = [u8; DIGEST_BYTES];

/// The keys of one group, each by its purpose, ready for use. Never printed.
pub struct Group {
    pseudonym: Params,
    record_id: Params,
    event_id: Aes128,
    life_event_id: Aes128,
    uuid: Aes128,
    encrypt: Vec<u8>,
    version: u16,
    prefix: Vec<u8>,
}

fn keyed(key: &[u8], length: usize) -> Params {
    let mut params = Params::new();
    params.hash_length(length).key(key);
    params
}

impl Group {
    pub fn new(keys: &HashMap<String, Vec<u8>>, version: u16) -> Result<Group, Unsupported> {
        let key = |name: &str, length: usize| {
            keys.get(name)
                .filter(|key| key.len() == length)
                .ok_or_else(|| Unsupported(format!("no key of {length} bytes for {name}")))
        };
        let block = |name: &str| key(name, 16).map(|key| Aes128::new_from_slice(key).expect("16 bytes"));
        Ok(Group {
            pseudonym: keyed(key("pseudonym", 32)?, DIGEST_BYTES),
            record_id: keyed(key("record-id", 32)?, DIGEST_BYTES),
            event_id: block("event-id")?,
            life_event_id: block("life-event-id")?,
            uuid: block("uuid")?,
            encrypt: key("encrypt", 64)?.clone(),
            version,
            prefix: format!("v{version}.").into_bytes(),
        })
    }

    /// How long every text pseudonym is.
    pub fn text_length(&self) -> usize {
        self.prefix.len() + (DIGEST_BYTES * 8).div_ceil(5)
    }

    /// The text pseudonym of a normalised value under a scheme.
    pub fn put_pseudonym(&self, out: &mut Vec<u8>, scheme: &[u8], normal: &[u8]) {
        self.put_tagged(out, self.pseudonym.to_state(), scheme, normal);
    }

    /// The derived record id: the publishing agency and the id as it is written.
    pub fn put_record_id(&self, out: &mut Vec<u8>, agency: &[u8], value: &[u8]) {
        self.put_tagged(out, self.record_id.to_state(), agency, value);
    }

    fn put_tagged(&self, out: &mut Vec<u8>, mut state: State, name: &[u8], value: &[u8]) {
        state.update(&(name.len() as u32).to_be_bytes()).update(name).update(value);
        out.extend_from_slice(&self.prefix);
        text::put_base32(out, state.finalize().as_bytes());
    }

    pub fn event_id(&self, block: [u8; 16]) -> [u8; 36] {
        permuted(&self.event_id, block)
    }

    pub fn life_event_id(&self, block: [u8; 16]) -> [u8; 36] {
        permuted(&self.life_event_id, block)
    }

    pub fn uuid(&self, block: [u8; 16]) -> [u8; 36] {
        permuted(&self.uuid, block)
    }

    /// What the mask `encrypt` makes of a value's Avro bytes; the path and the event id are bound to it.
    pub fn put_encrypted(&self, out: &mut Vec<u8>, plain: &[u8], path: &[u8], event_id: &[u8]) {
        let mut cipher = Aes256Siv::new_from_slice(&self.encrypt).expect("64 bytes");
        let sealed = cipher.encrypt([path, event_id], plain).expect("two headers");
        let mut head = [1u8, 0, 0];
        head[1..].copy_from_slice(&self.version.to_be_bytes());
        crate::avro::put_long(out, (head.len() + sealed.len()) as i64);
        out.extend_from_slice(&head);
        out.extend_from_slice(&sealed);
    }
}

fn permuted(cipher: &Aes128, block: [u8; 16]) -> [u8; 36] {
    let mut made = block.into();
    cipher.encrypt_block(&mut made);
    text::uuid_text(&made.into())
}

/// BLAKE2b-128 of the parts, keyed.
pub fn tag(key: &[u8], parts: &[&[u8]]) -> [u8; 16] {
    let mut params = Params::new();
    params.hash_length(16).key(key);
    let mut state = params.to_state();
    for part in parts {
        state.update(part);
    }
    let mut made = [0u8; 16];
    made.copy_from_slice(state.finalize().as_bytes());
    made
}
