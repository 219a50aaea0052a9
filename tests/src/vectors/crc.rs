//! CRC-64, whole, continued and combined.

use oss_crc::{Crc64, checksum, combine};
use serde_json::Value;

use super::{Pass, Record, same_text};

pub(super) fn crc64(record: &Record<'_>) -> Result<Pass, String> {
    let bytes = record.bytes("data_b64")?;
    let split = usize::try_from(record.integer("split")?).map_err(|error| error.to_string())?;
    let (first, second) = bytes.split_at_checked(split).ok_or("in.split is beyond the data")?;
    let (a, b) = (checksum(first), checksum(second));
    let mut continued = Crc64::resume(a, first.len() as u64);
    continued.update(second);
    same(record, "crc64", checksum(&bytes))?;
    same(record, "crc64_a", a)?;
    same(record, "crc64_b", b)?;
    same(record, "crc64_continue_from_a", continued.value())?;
    same(record, "crc64", combine(a, b, second.len() as u64))?;
    Ok(Pass::Same)
}

pub(super) fn combined(record: &Record<'_>) -> Result<Pass, String> {
    let [a, b, len] = ["crc_a", "crc_b", "len_b"].map(|name| record.integer(name));
    same(record, "crc64", combine(a?, b?, len?))?;
    Ok(Pass::Same)
}

/// The data is what a linear congruential generator gives.
pub(super) fn lcg(record: &Record<'_>) -> Result<Pass, String> {
    let mut state = record.integer("lcg_seed")?;
    let mut crc = Crc64::new();
    let mut bytes = Vec::new();
    for _ in 0..record.integer("len")? {
        state = (state.wrapping_mul(1_103_515_245) + 12_345) & 0x7fff_ffff;
        bytes.push(((state >> 16) & 255) as u8);
    }
    crc.update(&bytes);
    same(record, "crc64", crc.value())?;
    Ok(Pass::Same)
}

fn same(record: &Record<'_>, name: &str, ours: u64) -> Result<(), String> {
    match &record.out()[name] {
        Value::Null => Ok(()),
        Value::String(expected) => same_text(name, expected, &ours.to_string()),
        other => same_text(name, &other.to_string(), &ours.to_string()),
    }
}
