//! Large objects: files up and down in parts that move side by side, streams, copies, a reader and a writer.
//!
//! What is done next, and when the whole is right, is decided by the machines of
//! [`oss_proto::transfer`]; here are the files, the streams and the lanes. The verbs are
//! [`Bucket`](crate::Bucket)'s: [`upload_file`](crate::Bucket::upload_file),
//! [`download_file`](crate::Bucket::download_file), [`upload_stream`](crate::Bucket::upload_stream),
//! [`copy_object`](crate::Bucket::copy_object), [`reader`](crate::Bucket::reader),
//! [`writer`](crate::Bucket::writer), [`appender`](crate::Bucket::appender),
//! [`delete_many`](crate::Bucket::delete_many). Those that move files take
//! options and are awaited:
//!
//! ```no_run
//! # async fn doc(bucket: oss_hyper::Bucket) -> Result<(), oss_hyper::transfer::TransferError> {
//! let saved = bucket
//!     .download_file("backup.tar", "backup.tar")
//!     .lanes(8)
//!     .checkpoint_dir("checkpoints")
//!     .on_progress(|at| println!("{} of {:?}", at.bytes, at.bytes_total))
//!     .await?;
//! println!("{:?}", saved.download.integrity);
//! # Ok(())
//! # }
//! ```
//!
//! **Dropping one of their futures** stops it where it is. With a checkpoint directory what was done is kept,
//! and the next one goes on. Without, a download removes its partial file, and an upload or a copy asks OSS,
//! in a task of its own, to give up the parts: whether that arrives nobody knows then. To be sure, cancel it
//! with a [`Cancel`] and wait for its end.

mod blocks;
mod cancel;
mod copy;
mod delete;
mod disk;
mod download;
mod engine;
mod failure;
mod give_up;
mod inside;
mod job;
mod pace;
mod part;
mod parts;
mod progress;
mod reader;
mod settings;
mod shelf;
mod sink;
mod stream;
mod upload;
mod whole;
mod writer;

pub use oss_proto::transfer::*;

pub use self::cancel::Cancel;
pub use self::copy::CopyTo;
pub use self::delete::{DeleteKeys, Deletions, DeletionsError};
pub use self::download::DownloadFile;
pub use self::failure::io_kind;
pub use self::inside::{Inside, UnsafeKey, join_inside};
pub use self::progress::TransferProgress;
pub use self::reader::ObjectReader;
pub use self::upload::{UploadFile, UploadStream};
pub use self::writer::{AppenderOptions, ObjectAppender, ObjectWriter, WriterOptions};
