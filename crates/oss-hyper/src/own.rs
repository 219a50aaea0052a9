//! Connections, or whole answers, by code of the program's own, behind `tower_service::Service`.

use alloc::sync::Arc;
use core::fmt;
use core::future::poll_fn;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response, Uri};
use hyper::body::Body as HttpBody;
use hyper_util::rt::TokioIo;
use tower_service::Service;

use crate::BoxError;
use crate::body::{Boxed, Erased};
use crate::outgoing::RequestBody;
use crate::stream::{Io, Metered, Stream};

type Promise<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A connector of the program's own, its type forgotten.
#[derive(Clone)]
pub(crate) struct OwnConnector(Arc<dyn Fn(Uri) -> Connecting + Send + Sync>);

type Connecting = Promise<Result<Box<dyn Io>, BoxError>>;

impl OwnConnector {
    pub(crate) fn new<C>(connector: C) -> Self
    where
        C: Service<Uri> + Clone + Send + 'static,
        C::Response: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
        C::Error: Into<BoxError>,
        C::Future: Send,
    {
        let connector = Mutex::new(connector);
        Self(Arc::new(move |uri| {
            let mut connector = copy(&connector);
            Box::pin(async move {
                poll_fn(|cx| connector.poll_ready(cx)).await.map_err(Into::into)?;
                let io: Box<dyn Io> = Box::new(connector.call(uri).await.map_err(Into::into)?);
                Ok(io)
            })
        }))
    }

    pub(crate) async fn connect(&self, uri: Uri) -> Result<Metered<TokioIo<Box<dyn Io>>>, BoxError> {
        Ok(Metered::new(TokioIo::new((self.0)(uri).await?)))
    }
}

/// Whether a client of the program's own has taken the request.
#[derive(Clone, Default)]
pub(crate) struct Taken(Arc<AtomicBool>);

/// An HTTP client of the program's own, its type forgotten.
#[derive(Clone)]
pub(crate) struct OwnService(Arc<dyn Fn(Request<RequestBody>, Taken) -> Answering + Send + Sync>);

pub(crate) type Answering = Promise<Result<Response<Boxed>, BoxError>>;

impl OwnService {
    pub(crate) fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let service = Mutex::new(service);
        Self(Arc::new(move |request, taken| {
            let mut service = copy(&service);
            Box::pin(async move {
                poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into)?;
                taken.0.store(true, Ordering::Relaxed);
                let response = service.call(request).await.map_err(Into::into)?;
                Ok(response.map(|body| Erased::boxed(body)))
            })
        }))
    }

    /// Until it is ready for the request it has not taken it.
    pub(crate) fn call(&self, request: Request<RequestBody>, taken: &Taken) -> Answering {
        (self.0)(request, taken.clone())
    }
}

impl Taken {
    pub(crate) fn is_taken(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A service is polled through `&mut`, so each call has a copy of its own; a mutex also spares us `Sync`.
fn copy<S: Clone>(service: &Mutex<S>) -> S {
    service.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

impl From<Metered<TokioIo<Box<dyn Io>>>> for Stream {
    fn from(own: Metered<TokioIo<Box<dyn Io>>>) -> Self {
        Self::Own(own)
    }
}

impl fmt::Debug for OwnConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnConnector(..)")
    }
}

impl fmt::Debug for OwnService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnService(..)")
    }
}
