//! Keyed derivations of one key group. Sources: RFC 7693 (BLAKE2b, keyed), FIPS 197 (AES-128), RFC 5297 (AES-SIV).

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::Aes128;
use aes_siv::siv::Aes256Siv;
use blake2b_simd::{Hash, Params, State, BLOCKBYTES};
use std::collections::HashMap;

use crate::avro::Unsupported;
use crate::text;

pub const DIGEST_BYTES: usize = 20;
pub const TAG_BYTES: usize = 16;
/// The first byte of the wire format.
const FRAME: u8 = 0;
/// `v1.` and 32 characters, for a key version of one digit.
pub type Digest = [u8; DIGEST_BYTES];

/// The keys of one group, each by its purpose, ready for use. Never printed.
pub struct Group {
    pseudonym: Tagged,
    record_id: Tagged,
    event_id: Aes128,
    life_event_id: Aes128,
    uuid: Aes128,
    encrypt: Vec<u8>,
    version: u16,
    prefix: Vec<u8>,
}

/// A keyed hash over a name, its length first, and a value. The block that the key fills is compressed once, not for
/// every value: the length's first byte is 0 for every name that there can be, so that it can go in ahead.
pub struct Tagged(State);

impl Tagged {
    pub fn new(key: &[u8], length: usize) -> Tagged {
        let mut state = Params::new().hash_length(length).key(key).to_state();
        state.update(&[0]);
        Tagged(state)
    }

    pub fn hash(&self, name: &[u8], value: &[u8]) -> Hash {
        let mut message = [0u8; BLOCKBYTES];
        let length = (name.len() as u32).to_be_bytes();
        assert_eq!(length[0], 0, "a name of 16 MiB");
        let whole = 3 + name.len() + value.len();
        if whole > message.len() {
            return self.0.clone().update(&length[1..]).update(name).update(value).finalize();
        }
        message[..3].copy_from_slice(&length[1..]);
        message[3..3 + name.len()].copy_from_slice(name);
        message[3 + name.len()..whole].copy_from_slice(value);
        self.0.clone().update(&message[..whole]).finalize()
    }
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
            pseudonym: Tagged::new(key("pseudonym", 32)?, DIGEST_BYTES),
            record_id: Tagged::new(key("record-id", 32)?, DIGEST_BYTES),
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
        self.put_tagged(out, &self.pseudonym, scheme, normal);
    }

    /// The derived record id: the publishing agency and the id as it is written.
    pub fn put_record_id(&self, out: &mut Vec<u8>, agency: &[u8], value: &[u8]) {
        self.put_tagged(out, &self.record_id, agency, value);
    }

    fn put_tagged(&self, out: &mut Vec<u8>, keyed: &Tagged, name: &[u8], value: &[u8]) {
        out.extend_from_slice(&self.prefix);
        text::put_base32(out, keyed.hash(name, value).as_bytes());
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

/// BLAKE2b-128 of one event's framed views under its nonce. The block of the nonce is compressed once an event.
pub struct Commitment(State);

impl Commitment {
    pub fn new(nonce: &[u8]) -> Commitment {
        let mut state = Params::new().hash_length(TAG_BYTES).key(nonce).to_state();
        state.update(&[FRAME]);
        Commitment(state)
    }

    /// Of a framed value, which begins with the frame's zero.
    pub fn of(&self, framed: &[u8]) -> [u8; TAG_BYTES] {
        debug_assert_eq!(framed.first(), Some(&FRAME));
        tag_of(&self.0.clone().update(&framed[1..]).finalize())
    }
}

pub fn tag_of(hash: &Hash) -> [u8; TAG_BYTES] {
    let mut made = [0u8; TAG_BYTES];
    made.copy_from_slice(hash.as_bytes());
    made
}
