//! What is kept of a transfer.

use oss_proto::transfer::Checkpoint;

/// A checkpoint: any bytes are one or an error, and what is taken is written the same. With a checksum that
/// fits, whatever the bytes say.
///
/// # Panics
/// When a law does not hold.
pub fn checkpoint(data: &[u8]) {
    let sealed = [data, format!("sum {:016x}\n", oss_crc::checksum(data)).as_bytes()].concat();
    for text in [data, &sealed] {
        if let Ok(checkpoint) = Checkpoint::parse(text) {
            assert_eq!(checkpoint.to_text().as_bytes(), text);
            assert_eq!(Checkpoint::parse(checkpoint.to_text().as_bytes()), Ok(checkpoint));
        }
    }
}
