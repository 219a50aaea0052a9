//! Any operation of OSS as a call.

use alloc::sync::Arc;
use core::time::Duration;

use oss_credentials::{Credentials, Need};
use oss_proto::{
    BucketName, Checked, Composer, Endpoint, Error, ErrorKind, Exchange, Failure, Fetch, GetObject, Head,
    IntoField, InvalidRequest, InvalidValue, Operation, Outcome, Paged, Presigned, Region, Reply, Service,
    Source, Transmit,
};

use crate::account::{Account, CustomLookup, NoCredentials};
use crate::body::Body;
use crate::drive::{drive, open};
use crate::{BoxError, Bucket, Object, Pages, ResponseBody, Transport};

/// A client for any operation of OSS. A clone shares its connections, credentials and retry budget.
///
/// A call needs a tokio runtime with time and IO enabled; its future is `Send` when the operation and its
/// output are, and may be dropped at any point.
#[derive(Clone, Debug)]
pub struct Client {
    service: Service,
    account: Account,
    transport: Transport,
}

/// How a [`Client`] is made when it needs more than a service and credentials.
pub struct ClientBuilder {
    service: Service,
    source: Source,
    transport: Option<Transport>,
    lookups: Vec<(u32, CustomLookup)>,
}

impl Client {
    /// A client of this service, with credentials of this source and a transport of its own.
    pub fn new(service: Service, source: impl Into<Source>) -> Self {
        Self::builder(service, source).build()
    }

    /// A client of a region, over its public endpoint: `cn-hangzhou`.
    ///
    /// # Errors
    /// When the region is not one by its form.
    pub fn connect(region: impl AsRef<str>, source: impl Into<Source>) -> Result<Self, Error> {
        let region = Region::parse(region.as_ref()).map_err(|error| invalid("region", error.into()))?;
        Ok(Self::new(Service::new(Endpoint::public(&region)).with_region(region), source))
    }

    /// A client with a transport or a credential source of one's own.
    pub fn builder(service: Service, source: impl Into<Source>) -> ClientBuilder {
        ClientBuilder { service, source: source.into(), transport: None, lookups: Vec::new() }
    }

    /// The same client seen from one bucket.
    ///
    /// # Errors
    /// When the name is not one by its form.
    pub fn bucket(&self, name: impl IntoField<Checked<BucketName>>) -> Result<Bucket, Error> {
        let name = name.into_field();
        let name = name.name().map_err(|error| invalid("bucket", error.into()))?;
        let name = name.ok_or_else(|| invalid("bucket", InvalidValue::new("is not named; name it")))?;
        let service = self.service.clone().with_bucket(name.clone());
        Ok(Bucket::new(Self { service, ..self.clone() }, name.clone()))
    }

    /// Makes a call and collects its answer.
    ///
    /// An operation whose body is a stream goes through [`send_from`](Self::send_from); [`GetObject`] goes
    /// through [`open`](Self::open), here its content is not read.
    ///
    /// # Errors
    /// When it fails for good; the error says whether it may have taken effect.
    pub async fn send<O: Operation>(&self, operation: O) -> Result<Reply<O::Output>, Error> {
        self.run(Exchange::new(&operation, &self.service, self.account.call()), &Body::empty()).await
    }

    /// Makes a call with this body, whatever body the operation was made with.
    ///
    /// # Errors
    /// As [`send`](Self::send), and when the body cannot be read or has another length than it said.
    pub async fn send_from<O: Operation>(
        &self,
        operation: O,
        body: impl Into<Body>,
    ) -> Result<Reply<O::Output>, Error> {
        let body = body.into();
        let mut draft = operation.draft()?;
        draft.body = body.payload();
        let exchange = Exchange::<O>::with_draft(draft, &self.service, self.account.call());
        self.run(exchange, &body).await
    }

    /// Begins to read an object; its content comes as it is asked for.
    ///
    /// # Errors
    /// When the object cannot be read; what goes wrong later is for the [`Object`] to say.
    pub async fn open(&self, operation: GetObject) -> Result<Object, Error> {
        let mut fetch = Fetch::new(&operation, &self.service, self.account.call());
        let body = Body::empty();
        let (reply, body) =
            open(&mut fetch, &self.account, |transmit| self.transmit(transmit, &body)).await?;
        let bytes_max = self.service.limits.collect_bytes_max;
        Ok(Object::new(fetch, reply, body, self.account.clone()).collect_at_most(bytes_max))
    }

    /// The pages of a list, one call each.
    pub fn pages<O: Paged>(&self, operation: O) -> Pages<O> {
        Pages::new(self.clone(), operation)
    }

    /// A URL with which its holder may make this request until it expires: 1 s to 7 days.
    ///
    /// Nothing is sent, but the credentials may have to be looked up.
    ///
    /// # Errors
    /// When the request cannot be expressed, the URL would outlive the credentials, or there are none.
    pub async fn presign<O: Operation>(&self, operation: O, valid_for: Duration) -> Result<Presigned, Error> {
        let draft = operation.draft()?;
        let now = self.account.corrected_now();
        let seconds = i64::try_from(valid_for.as_secs()).unwrap_or(i64::MAX);
        let need = Need::until(now.wall.saturating_add(seconds));
        let timeouts = &self.service.timeouts;
        let patience = timeouts.operation.map_or(timeouts.credentials, |end| end.min(timeouts.credentials));
        let deadline = now.mono.saturating_add(patience);
        let credentials = self.account.credentials(need, deadline).await.map_err(|missing| {
            let (NoCredentials::Refused(error) | NoCredentials::Late(error)) = missing;
            Error::new(ErrorKind::Credentials(error), draft.operation, Outcome::NotSent)
        })?;
        // Looking up took its time, and the URL lives from now on.
        let now = self.account.corrected_now();
        Ok(Composer::new().presign(&draft, &self.service, &credentials, now.wall, valid_for)?)
    }

    /// The service that the calls go to.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Credentials, retry budget and clock, for a driver of one's own.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The connections, for another client that shares them.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    async fn run<O: Operation>(&self, exchange: Exchange<O>, body: &Body) -> Result<Reply<O::Output>, Error> {
        drive(exchange, &self.account, |transmit| self.transmit(transmit, body)).await
    }

    fn transmit(
        &self,
        transmit: Transmit,
        body: &Body,
    ) -> impl Future<Output = Result<(Head, ResponseBody), Failure>> + Send + use<> {
        let (transport, account, body) = (self.transport.clone(), self.account.clone(), body.share());
        async move { transport.send(transmit, &body, &account).await }
    }
}

impl ClientBuilder {
    /// Connections that other clients share, or with settings of their own; see [`Transport::builder`].
    #[must_use]
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = Some(transport);
        self
    }

    /// The function behind [`Source::Custom`] of this number.
    ///
    /// It is asked when credentials are needed or about to end, never twice at a time, and has 60 s.
    /// `Ok(None)` means that the source does not exist here; an error's text is shown to people, so it must
    /// hold no secret.
    #[must_use]
    pub fn lookup<F, Fut, E>(mut self, number: u32, lookup: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<Credentials>, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let lookup: CustomLookup = Arc::new(move || {
            let looking = lookup();
            Box::pin(async move { looking.await.map_err(Into::into) })
        });
        self.lookups.push((number, lookup));
        self
    }

    /// The client; it connects nowhere and asks for nothing yet.
    pub fn build(self) -> Client {
        Client {
            service: self.service,
            account: Account::with_lookups(self.source, self.lookups),
            transport: self.transport.unwrap_or_default(),
        }
    }
}

impl core::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("service", &self.service)
            .field("source", &self.source)
            .field("lookups", &self.lookups.len())
            .finish_non_exhaustive()
    }
}

fn invalid(field: &'static str, problem: InvalidValue) -> Error {
    InvalidRequest::new("a request", field, problem).into()
}
