//! What becomes of an upload in parts whose future is dropped.

use alloc::sync::Arc;
use core::future::pending;
use std::sync::{Mutex, MutexGuard, PoisonError};

use oss_proto::{AbortMultipartUpload, InitiateMultipartUpload};

use super::job::{Lane, landed};
use crate::Client;

/// Begins uploads, and gives up the last one when it is dropped, unless its parts are to stay.
///
/// An upload that is just being begun has an id that only the answer tells: it is waited for in a task of its
/// own, and given up then, whether parts are to stay or not: it has none.
pub(super) struct GiveUp {
    client: Client,
    keeps: bool,
    begun: Arc<Mutex<Begun>>,
}

#[derive(Default)]
struct Begun {
    upload: Option<AbortMultipartUpload>,
    /// Nobody waits for uploads any more.
    is_dropped: bool,
}

impl GiveUp {
    pub(super) fn new(client: &Client, keeps: bool) -> Self {
        Self { client: client.clone(), keeps, begun: Arc::default() }
    }

    pub(super) fn begin(&self, begin: InitiateMultipartUpload) -> Lane {
        let (client, begun) = (self.client.clone(), Arc::clone(&self.begun));
        Box::pin(async move {
            let beginning = tokio::spawn(async move {
                let (bucket, key) = (begin.bucket.clone(), begin.key.clone());
                let request_payer = begin.request_payer.clone();
                let result = client.send(begin).await;
                if let Ok(reply) = &result {
                    let mut abort = AbortMultipartUpload::new(bucket, key, reply.output.upload_id.clone());
                    abort.request_payer = request_payer;
                    let unwanted = lock(&begun).note(abort);
                    if let Some(abort) = unwanted {
                        // Nobody is there to be told what becomes of it.
                        let _unheard = client.send(abort).await;
                    }
                }
                result
            });
            match beginning.await {
                Ok(result) => landed(result),
                Err(ended) => match ended.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    // The runtime ends, and this task with it.
                    Err(_) => pending().await,
                },
            }
        })
    }

    /// The transfer has come to its own end.
    pub(super) fn disarm(&self) {
        lock(&self.begun).upload = None;
    }
}

impl Begun {
    /// Gives the upload back when nobody waits for it.
    fn note(&mut self, abort: AbortMultipartUpload) -> Option<AbortMultipartUpload> {
        if self.is_dropped {
            return Some(abort);
        }
        self.upload = Some(abort);
        None
    }
}

impl Drop for GiveUp {
    fn drop(&mut self) {
        let upload = {
            let mut begun = lock(&self.begun);
            begun.is_dropped = true;
            begun.upload.take()
        };
        let Some(abort) = upload.filter(|_| !self.keeps) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let client = self.client.clone();
            runtime.spawn(async move { give_up(&client, abort).await });
        }
    }
}

/// Parts that were on their way when they were dropped may arrive after an abort, and are not freed by it.
async fn give_up(client: &Client, abort: AbortMultipartUpload) {
    if client.send(abort.clone()).await.is_ok() {
        // Nobody is there to be told what becomes of it; mostly there is no such upload any more.
        let _unheard = client.send(abort).await;
    }
}

fn lock(begun: &Mutex<Begun>) -> MutexGuard<'_, Begun> {
    begun.lock().unwrap_or_else(PoisonError::into_inner)
}
