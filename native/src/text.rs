//! Texts as masks and derived ids write them. What depends on Unicode's tables is left to Python (`Defer`).

use std::borrow::Cow;

/// This event, or this view of it, is left to another executor: nothing is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub struct Defer;

/// Whether Python's `str.isspace` holds for an ASCII character.
#[inline]
pub fn is_space(byte: u8) -> bool {
    matches!(byte, 0x09..=0x0d | 0x1c..=0x20)
}

pub fn strip(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|b| !is_space(*b)).unwrap_or(text.len());
    let end = text.iter().rposition(|b| !is_space(*b)).map_or(start, |last| last + 1);
    &text[start..end]
}

/// `tidings.masks.normalise.normalise` for ASCII.
pub fn normalise<'a>(scheme: &[u8], value: &'a [u8]) -> Result<Cow<'a, [u8]>, Defer> {
    if !value.is_ascii() {
        return Err(Defer);
    }
    let made: Cow<'a, [u8]> = match scheme {
        b"nhs_number" => {
            if value.iter().all(u8::is_ascii_digit) {
                Cow::Borrowed(value)
            } else {
                Cow::Owned(value.iter().copied().filter(u8::is_ascii_digit).collect())
            }
        }
        b"gro_registration" => {
            Cow::Owned(value.iter().filter(|b| !is_space(**b)).map(u8::to_ascii_uppercase).collect())
        }
        b"country" => Cow::Owned(strip(value).to_ascii_uppercase()),
        _ => {
            let mut out = Vec::with_capacity(value.len());
            for word in value.split(|b| is_space(*b)).filter(|word| !word.is_empty()) {
                if !out.is_empty() {
                    out.push(b' ');
                }
                out.extend(word.iter().map(u8::to_ascii_lowercase));
            }
            Cow::Owned(out)
        }
    };
    Ok(if made.is_empty() { Cow::Borrowed(value) } else { made })
}

/// Lower-case base32 without padding. Source: RFC 4648, section 6.
pub fn put_base32(out: &mut Vec<u8>, digest: &[u8]) {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    for group in digest.chunks(5) {
        let mut number = [0u8; 8];
        number[3..3 + group.len()].copy_from_slice(group);
        let number = u64::from_be_bytes(number);
        let text: [u8; 8] = std::array::from_fn(|at| DIGITS[((number >> (35 - 5 * at)) & 31) as usize]);
        out.extend_from_slice(&text[..(group.len() * 8).div_ceil(5)]);
    }
}

/// The 16 bytes of a uuid in lower case with hyphens (RFC 9562), or None.
pub fn uuid_bytes(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 36 || text[8] != b'-' || text[13] != b'-' || text[18] != b'-' || text[23] != b'-' {
        return None;
    }
    let mut made = [0u8; 16];
    let mut at = 0;
    let mut position = 0;
    while position < 36 {
        if matches!(position, 8 | 13 | 18 | 23) {
            position += 1;
            continue;
        }
        made[at] = (hex(text[position])? << 4) | hex(text[position + 1])?;
        at += 1;
        position += 2;
    }
    Some(made)
}

#[inline]
fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

pub fn uuid_text(block: &[u8; 16]) -> [u8; 36] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (index, byte) in block.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = DIGITS[usize::from(byte >> 4)];
        text[at + 1] = DIGITS[usize::from(byte & 15)];
        at += 2;
    }
    text
}

/// A number of 64 bits out of random bytes, by its place.
pub fn word(random: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(random[8 * at..8 * at + 8].try_into().expect("eight bytes"))
}

/// Murmur2 as Kafka hashes keys. Source: org.apache.kafka.common.utils.Utils.murmur2 (Kafka 4.3.1).
pub fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut h = 0x9747_b28c ^ data.len() as u32;
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let mut k = u32::from_le_bytes(chunk.try_into().unwrap_or_default()).wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        h = h.wrapping_mul(M) ^ k;
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let mut last = [0u8; 4];
        last[..rest.len()].copy_from_slice(rest);
        h = (h ^ u32::from_le_bytes(last)).wrapping_mul(M);
    }
    h = (h ^ (h >> 13)).wrapping_mul(M);
    h ^ (h >> 15)
}
