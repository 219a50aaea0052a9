//! What a call is as a future, and how calls share credentials.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::io;

use common::{BUCKET, emulator, key, service};
use oss_hyper::{
    Account, Bucket, Client, CredentialsProvider, Error, ErrorKind, Exchange, Failure, FailureKind,
    GetBucketInfo, GetObject, Head, ListBuckets, Object, Operation, Paged, Pages, Reply, ReplyHead, Sent,
    Transmit, Transport, Wait, drive,
};
use tokio::task::JoinSet;

/// What a program that is generic over its operations needs.
struct Caller<O> {
    client: Client,
    operation: O,
}

impl<O> Caller<O>
where
    O: Operation + Clone + Send + Sync + 'static,
    O::Output: Send,
{
    fn spawn(&self) -> tokio::task::JoinHandle<Result<Reply<O::Output>, Error>> {
        let (client, operation) = (self.client.clone(), self.operation.clone());
        tokio::spawn(async move { client.send(operation).await })
    }

    fn spawn_from(&self) -> tokio::task::JoinHandle<Result<Reply<O::Output>, Error>> {
        let (client, operation) = (self.client.clone(), self.operation.clone());
        tokio::spawn(async move { client.send_from(operation, "").await })
    }

    fn spawn_presign(&self) -> tokio::task::JoinHandle<bool> {
        let (client, operation) = (self.client.clone(), self.operation.clone());
        tokio::spawn(async move { client.presign(operation, Duration::from_secs(1)).await.is_ok() })
    }
}

/// A program with a transport of its own.
struct Driver<S, O> {
    account: Account,
    send: S,
    operation: O,
}

type Answer = Result<(Head, http_body_util::Full<bytes::Bytes>), Failure>;

impl<S, Fut, O> Driver<S, O>
where
    S: FnMut(Transmit) -> Fut + Send + 'static,
    Fut: Future<Output = Answer> + Send,
    O: Operation + Send + 'static,
    O::Output: Send,
{
    fn spawn(self, client: &Client) -> tokio::task::JoinHandle<Result<Reply<O::Output>, Error>> {
        let exchange = Exchange::<O>::new(&self.operation, client.service(), self.account.call());
        tokio::spawn(async move { drive(exchange, &self.account, self.send).await })
    }
}

fn is_send_and_static<T: Send + 'static>(_: &T) {}
fn is_shareable<T: Clone + Send + Sync + 'static>() {}

#[tokio::test]
async fn calls_are_send_and_clients_are_shared() {
    is_shareable::<Client>();
    is_shareable::<Bucket>();
    is_shareable::<Transport>();
    is_shareable::<Account>();
    let server = emulator().await;
    let client = Client::new(service(&server.endpoint()), key());
    let caller = Caller { client: client.clone(), operation: GetBucketInfo::new(BUCKET) };
    assert_eq!(caller.spawn().await.unwrap().unwrap().output.bucket.name.as_deref(), Some(BUCKET));
    assert!(caller.spawn_from().await.unwrap().is_ok());
    assert!(caller.spawn_presign().await.unwrap());
    let bucket = client.bucket(BUCKET).unwrap();
    is_send_and_static(&async move {
        let object: Object = bucket.open(GetObject::to("key")).await?;
        let _text = object.text().await?;
        bucket.list("").next().await
    });
    fn of_pages<O: Paged + Clone + Send + Sync + 'static>(mut pages: Pages<O>)
    where
        O::Output: Send,
    {
        is_send_and_static(&async move { pages.next().await.is_ok() });
    }
    of_pages(client.pages(oss_hyper::ListObjectsV2::new(BUCKET)));
}

#[tokio::test]
async fn any_function_that_sends_can_be_driven() {
    let client = Client::new(service("http://127.0.0.1:1"), key());
    let mut attempts = 0;
    let send = move |transmit: Transmit| {
        attempts += 1;
        let attempt = attempts;
        async move {
            assert!(transmit.request.headers().contains_key("authorization"));
            if attempt == 1 {
                return Err(Failure::new(FailureKind::Connect, Sent::new()));
            }
            let body = "<ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>";
            let reply = ReplyHead::new(200, http::HeaderMap::new());
            Ok((Head::new(reply, transmit.tally()), http_body_util::Full::from(body)))
        }
    };
    let driver = Driver { account: client.account().clone(), send, operation: ListBuckets::new() };
    let reply = driver.spawn(&client).await.unwrap().unwrap();
    assert_eq!((reply.output.buckets.len(), reply.attempts.len()), (0, 2));
}

fn counted(count: &Arc<AtomicUsize>, pause: Duration) -> impl Fn() -> Looking + Send + Sync + use<> {
    let count = Arc::clone(count);
    move || {
        count.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            tokio::time::sleep(pause).await;
            Ok(Some(key()))
        })
    }
}

type Looking = core::pin::Pin<Box<dyn Future<Output = io::Result<Option<oss_hyper::Credentials>>> + Send>>;

#[tokio::test]
async fn f77_many_callers_wait_for_one_lookup() {
    let server = emulator().await;
    let count = Arc::default();
    let client = Client::new(
        service(&server.endpoint()),
        CredentialsProvider::from_fn(counted(&count, Duration::from_millis(50))),
    );
    let mut calls = JoinSet::new();
    for _ in 0..100 {
        let client = client.clone();
        calls.spawn(async move { client.send(GetBucketInfo::new(BUCKET)).await.map(drop) });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap().unwrap();
    }
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn f80_the_asker_may_go_away_and_its_answer_still_comes() {
    let server = emulator().await;
    let count = Arc::default();
    let client = Client::new(
        service(&server.endpoint()),
        CredentialsProvider::from_fn(counted(&count, Duration::from_millis(50))),
    );
    let first = client.clone();
    let first = tokio::spawn(async move { first.send(GetBucketInfo::new(BUCKET)).await.map(drop) });
    tokio::time::sleep(Duration::from_millis(10)).await;
    first.abort();
    client.send(GetBucketInfo::new(BUCKET)).await.unwrap();
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_lookup_that_panics_or_fails_is_an_error_for_all() {
    let service = service("http://127.0.0.1:1");
    let panicking = Client::new(
        service.clone(),
        CredentialsProvider::from_fn(|| async {
            if true { panic!("of the program") } else { Ok::<_, io::Error>(None) }
        }),
    );
    let error = panicking.send(ListBuckets::new()).await.unwrap_err();
    assert!(error.to_string().contains("ended without an answer"), "{error}");
    let failing = Client::new(
        service.clone(),
        CredentialsProvider::from_fn(|| async {
            Err::<Option<oss_hyper::Credentials>, _>(io::Error::other("the vault is closed"))
        }),
    );
    let error = failing.send(ListBuckets::new()).await.unwrap_err();
    assert!(error.to_string().contains("the vault is closed"), "{error}");
    let absent = Client::new(
        service,
        CredentialsProvider::from_fn(|| async { Ok::<Option<oss_hyper::Credentials>, io::Error>(None) }),
    );
    let error = absent.send(ListBuckets::new()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Credentials(_)), "{error}");
}

#[tokio::test]
async fn a_lookup_that_takes_too_long_ends_the_wait_of_its_callers() {
    let count = Arc::default();
    let service = service("http://127.0.0.1:1").with(|settings| {
        settings.timeouts.credentials = Duration::from_millis(50);
    });
    let client = Client::new(service, CredentialsProvider::from_fn(counted(&count, Duration::from_secs(20))));
    let error = client.send(ListBuckets::new()).await.unwrap_err();
    let ErrorKind::Deadline(deadline) = error.kind() else { panic!("{error:?}") };
    assert_eq!(deadline.wait, Wait::Credentials);
    let error = client.presign(GetObject::new(BUCKET, "key"), Duration::from_secs(60)).await.unwrap_err();
    assert!(error.to_string().contains("gave no answer in time"), "{error}");
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn f24_credentials_that_are_refused_are_asked_for_once_more() {
    let server = emulator().await;
    let count = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&count);
    let client = Client::new(
        service(&server.endpoint()),
        CredentialsProvider::from_fn(move || {
            let number = asked.fetch_add(1, Ordering::Relaxed);
            async move {
                let new = oss_hyper::Credentials::new("new-id", "new-secret")?;
                Ok::<_, oss_hyper::CredentialError>(Some(if number == 0 { key() } else { new }))
            }
        }),
    );
    client.send(GetBucketInfo::new(BUCKET)).await.unwrap();
    let rotated = oss_emulator_server::Config::new("cn-hangzhou").with_access_key("new-id", "new-secret");
    server.with(|emulator| emulator.configure(|_| rotated));
    // A source is not asked twice in the same moment.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let client = client.clone();
        calls.spawn(async move { client.send(GetBucketInfo::new(BUCKET)).await.map(drop) });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap().unwrap();
    }
    assert_eq!(count.load(Ordering::Relaxed), 2);
    client.account().invalidate();
    client.send(GetBucketInfo::new(BUCKET)).await.unwrap();
    assert_eq!(count.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn the_environment_is_asked_by_name() {
    // The variables are not set where tests run; if they are, this says nothing.
    if std::env::var_os("OSS_ACCESS_KEY_ID").is_some() {
        return;
    }
    let client = Client::new(service("http://127.0.0.1:1"), oss_hyper::Environment);
    let error = client.send(ListBuckets::new()).await.unwrap_err();
    assert!(error.to_string().contains("OSS_ACCESS_KEY_ID"), "{error}");
}
