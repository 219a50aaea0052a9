//! Any operation of OSS as a call.

use core::time::Duration;

use oss_credentials::Need;
use oss_proto::{
    BucketName, Checked, Composer, Draft, Endpoint, Error, ErrorKind, Exchange, Failure, Fetch, GetObject,
    Head, IntoField, InvalidRequest, InvalidValue, Operation, Outcome, Paged, Presigned, Region, Reply,
    Service, Transmit,
};

use crate::account::{Account, NoCredentials};
use crate::body::Body;
use crate::drive::{drive, open};
use crate::overrides::Extras;
use crate::trace;
use crate::{Bucket, CredentialsProvider, Object, Overrides, Pages, ResponseBody, Transport};

/// A client for any operation of OSS. A clone shares its connections, credentials and retry budget.
///
/// A call needs a tokio runtime with time and IO enabled; its future is `Send` when the operation and its
/// output are, and may be dropped at any point.
#[derive(Clone, Debug)]
pub struct Client {
    service: Service,
    account: Account,
    transport: Transport,
    /// What every call says besides what its operation does.
    extras: Extras,
}

impl Client {
    /// A client of this service, with credentials of this provider and a transport of its own.
    ///
    /// From the settings of a program rather than from its parts, see [`Config`](crate::Config).
    pub fn new(service: Service, provider: impl Into<CredentialsProvider>) -> Self {
        Self::of(service, Account::new(provider), Transport::new())
    }

    /// A client of a region, over its public endpoint: `cn-hangzhou`.
    ///
    /// # Errors
    /// When the region is not one by its form.
    pub fn connect(region: impl AsRef<str>, provider: impl Into<CredentialsProvider>) -> Result<Self, Error> {
        let region = Region::parse(region.as_ref()).map_err(|error| invalid("region", error.into()))?;
        Ok(Self::new(Service::new(Endpoint::public(&region)).with_region(region), provider))
    }

    pub(crate) fn of(service: Service, account: Account, transport: Transport) -> Self {
        let account = account.over(transport.clone());
        Self { service, account, transport, extras: Extras::default() }
    }

    /// The same client over other connections, which it may share with any number of clients.
    #[must_use]
    pub fn with_transport(self, transport: Transport) -> Self {
        Self { account: self.account.over(transport.clone()), transport, ..self }
    }

    /// The same client with some things done differently: for one call, or for as many as are made with it.
    ///
    /// Connections, retry budget and clock are shared; see [`Overrides`].
    #[must_use]
    pub fn with(&self, overrides: &Overrides) -> Self {
        let mut extras = self.extras.clone();
        extras.extend(&overrides.extras);
        Self {
            service: overrides.of(&self.service),
            account: self.account.with(overrides),
            transport: self.transport.clone(),
            extras,
        }
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
        self.run::<O>(self.draft(&operation)?, &Body::empty()).await
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
        let mut draft = self.draft(&operation)?;
        draft.body = body.payload();
        self.run::<O>(draft, &body).await
    }

    /// Begins to read an object; its content comes as it is asked for.
    ///
    /// # Errors
    /// When the object cannot be read; what goes wrong later is for the [`Object`] to say.
    pub async fn open(&self, operation: GetObject) -> Result<Object, Error> {
        let mut fetch = Fetch::with_draft(self.draft(&operation)?, &self.service, self.account.call());
        let body = Body::empty();
        let calling = open(&mut fetch, &self.account, |transmit| self.transmit(transmit, &body));
        let (reply, body) = trace::call("GetObject", calling).await?;
        let bytes_max = self.service.limits.collect_bytes_max;
        let object = Object::new(fetch, reply, body, self.account.clone()).collect_at_most(bytes_max);
        Ok(object.resume_over(&self.transport))
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
        let draft = self.draft(&operation)?;
        let now = self.account.now_at(&self.service.endpoint);
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
        let now = self.account.now_at(&self.service.endpoint);
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

    fn draft<O: Operation>(&self, operation: &O) -> Result<Draft, Error> {
        let mut draft = operation.draft()?;
        self.extras.apply(&mut draft);
        // OSS would take the header and overwrite all the same (OSS document "PutObject").
        if self.service.buckets_versioned && draft.header("x-oss-forbid-overwrite") == Some("true") {
            let problem = "has no effect in a versioned bucket, which takes each write as a version more; \
                           leave it out";
            let problem = InvalidValue::new(problem);
            return Err(InvalidRequest::new(draft.operation, "forbid_overwrite", problem).into());
        }
        Ok(draft)
    }

    async fn run<O: Operation>(&self, draft: Draft, body: &Body) -> Result<Reply<O::Output>, Error> {
        let operation = draft.operation;
        let exchange = Exchange::<O>::with_draft(draft, &self.service, self.account.call());
        let calling = drive(exchange, &self.account, |transmit| self.transmit(transmit, body));
        trace::call(operation, calling).await
    }

    fn transmit(
        &self,
        transmit: Transmit,
        body: &Body,
    ) -> impl Future<Output = Result<(Head, ResponseBody), Failure>> + Send + use<> {
        transmit_over(transmit, &self.transport, &self.account, body)
    }
}

/// Sends a request as a client does: traced, over its connections.
pub(crate) fn transmit_over(
    transmit: Transmit,
    transport: &Transport,
    account: &Account,
    body: &Body,
) -> impl Future<Output = Result<(Head, ResponseBody), Failure>> + Send + use<> {
    let (transport, account, body) = (transport.clone(), account.clone(), body.share());
    async move {
        let attempt = trace::Attempt::of(&transmit);
        let answered = transport.send(transmit, &body, &account).await;
        attempt.ends(&answered);
        answered
    }
}

pub(crate) fn invalid(field: &'static str, problem: InvalidValue) -> Error {
    InvalidRequest::new("a request", field, problem).into()
}
