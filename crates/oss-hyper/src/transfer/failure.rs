//! What the system said of a file.

use std::io;

use oss_proto::transfer::{TransferError, TransferErrorKind};

/// What kind of error the system gave when a file on this side could not be used; `None` for every other
/// failure, and for a file that is not as it must be by our own check.
///
/// ```no_run
/// # async fn doc(bucket: oss_hyper::Bucket) {
/// use oss_hyper::transfer::io_kind;
///
/// if let Err(error) = bucket.download_file("backup.tar", "backup.tar").await
///     && io_kind(&error) == Some(std::io::ErrorKind::StorageFull)
/// {
///     println!("the disk is full");
/// }
/// # }
/// ```
pub fn io_kind(error: &TransferError) -> Option<io::ErrorKind> {
    let TransferErrorKind::File(error) = error.kind() else { return None };
    error.cause().downcast_ref::<io::Error>().map(io::Error::kind)
}
