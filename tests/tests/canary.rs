//! I5: no secret in anything that can be printed, over every scenario and every case of retrying: the values
//! that calls take and give, each step of the machines, what `tracing` hears at every level, and panics.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

extern crate alloc;

mod lines;

use core::fmt::Debug;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::Mutex;

use lines::Lines;
use oss_credentials::{CredentialCache, Source};
use oss_emulator::Emulator;
use oss_hyper::oss_proto::{
    Error, GetObject, Operation, PutObject, SignatureVersion, UnixTime, compose, presign,
};
use oss_hyper::{Config, Credentials, CredentialsProvider, Overrides, Proxy, Transport};
use oss_sign::{AccessKey, PostPolicy, RpcCall, Scope, SigningKey};
use oss_sim::canary::Canaries;
use oss_sim::conformance::{Hyper, Notes, Overheard, Scenario, Simulated, Stage, scenarios};
use oss_sim::peer::{BUCKET, REGION, SECRET, STS_SECRET, TOKEN, credentials, temporary};
use oss_sim::retry_cases::play::{Case, cases};
use oss_sim::tcp::system_time;
use oss_sim::world::EPOCH;

/// Each step of each machine in the simulated world.
#[test]
fn i05_no_secret_in_any_simulated_step() {
    each(&stories(|_| true), |story, canaries| {
        let notes = Notes::default();
        let mut stage = Overheard {
            stage: Simulated::new(&story.scenario()).noting(notes.clone()),
            notes: notes.clone(),
        };
        story.play(&mut stage);
        check(story, canaries, stage.peer(|peer| peer.take_signatures()), &notes.take())
    });
}

/// What a program sees of the hyper client, and what one that listens to `tracing` hears.
#[test]
fn i05_no_secret_is_shown_or_heard_over_tcp() {
    let lines = Lines::default();
    tracing::subscriber::set_global_default(lines.clone()).expect("no other test listens for all threads");
    let signatures = Mutex::new(Vec::new());
    each(&stories(Story::is_for_tcp), |story, canaries| {
        let notes = Notes::default();
        let mut stage = Overheard { stage: Hyper::new(&story.scenario()), notes: notes.clone() };
        story.play(&mut stage);
        notes.show(stage.stage.client());
        notes.show(&stage.stage.client().account());
        let left = stage.peer(|peer| peer.take_signatures());
        signatures.lock().unwrap().extend(left.iter().cloned());
        check(story, canaries, left, &notes.take())
    });
    let heard = lines.text();
    assert!(heard.contains("oss_call") && heard.contains("message=failed"), "nothing was heard");
    let mut canaries = canaries();
    for signature in signatures.into_inner().unwrap() {
        canaries.add_signature(&signature);
    }
    assert_eq!(canaries.find(&heard), None);
}

/// What is not part of a call: configuration, proxies, URLs, keys, and a panic with an error in it.
#[test]
fn i05_no_secret_in_any_value() {
    let notes = Notes::default();
    let mut canaries = canaries();
    canaries.add("a proxy's password", PROXY_PASSWORD.as_bytes());
    configurations(&notes);
    keys(&notes);
    urls(&notes, &mut canaries);
    panics(&notes);
    let shown = notes.take();
    assert!(shown.len() > 20_000, "{}", shown.len());
    assert_eq!(canaries.find(&shown), None);
}

fn configurations(notes: &Notes) {
    let url = format!("http://user:{PROXY_PASSWORD}@127.0.0.1:1");
    let config = || Config::new().region(REGION).endpoint("http://127.0.0.1:1").retry_max_attempts(1);
    for key in [credentials(), temporary()] {
        let source = || CredentialsProvider::from(Source::from(key.clone()));
        let plain = config().credentials_provider(source());
        let proxied = plain.clone().proxy_host(url.as_str());
        let misspelt = plain.clone().proxy_host(format!("socks9://user:{PROXY_PASSWORD}@host:port"));
        for config in [plain, proxied, misspelt] {
            notes.show(&config);
            match config.bucket(BUCKET) {
                Ok(bucket) => call(notes, &bucket),
                Err(error) => notes.fail(&error),
            }
        }
        notes.show(&source());
        notes.show(&key);
        notes.show(&CredentialCache::new(Source::from(key.clone()), 7));
        notes.show(&Overrides::new().credentials_provider(source()));
    }
    for proxy in [Proxy::all(&url), Proxy::all(&url.replace("127.0.0.1:1", "a b")), Proxy::all(&url[7..])] {
        match proxy {
            Ok(proxy) => {
                notes.show(&proxy);
                notes.show(&Transport::builder().proxy(proxy));
            }
            Err(error) => notes.fail(&error),
        }
    }
    for secret in [format!("{SECRET}\n"), format!("{SECRET}\u{e9}"), format!(" {SECRET}")] {
        show(notes, Credentials::new("AKID", secret.as_str()));
        show(notes, credentials().with_token(secret));
    }
    let emulator = oss_emulator::Config::new(REGION).with_access_key("AKID", SECRET);
    let emulator = emulator.with_temporary_key("STS.ID", STS_SECRET, TOKEN, EPOCH);
    notes.show(&emulator);
    notes.show(&Emulator::new(emulator));
}

/// Nobody answers.
fn call(notes: &Notes, bucket: &oss_hyper::Bucket) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        notes.fail(&bucket.put("key", "hello").await.unwrap_err());
        let account = bucket.client().account();
        notes.show(bucket);
        notes.show(&account.explain());
        notes.write(&account.explain().to_string());
    });
}

/// What the signer takes and gives.
fn keys(notes: &Notes) {
    let (time, region) = (UnixTime::from_secs(1_702_743_657), REGION);
    let scope = Scope { region, product: "oss", time };
    let key = AccessKey { id: "STS.ID", secret: STS_SECRET, token: Some(TOKEN) };
    notes.show(&key);
    notes.show(&SigningKey::derive(&key, &scope));
    let policy = PostPolicy::new(BUCKET, time.saturating_add(60)).equals("key", "a.txt");
    notes.show(&policy);
    show(notes, policy.sign_v1(&key, time));
    show(notes, policy.sign(&key, &SigningKey::derive(&key, &scope), &scope));
    let parameters = &[("SecurityToken", TOKEN), ("RoleArn", "acs:ram::1:role/a")];
    let (version, nonce) = ("2015-04-01", "n");
    notes.show(&RpcCall { method: "POST", action: "AssumeRole", version, parameters, nonce, time });
}

/// A presigned URL shows neither its signature nor its token.
fn urls(notes: &Notes, canaries: &mut Canaries) {
    let wall = UnixTime::from_secs(1_702_743_657);
    for key in [credentials(), temporary()] {
        for version in [SignatureVersion::V4, SignatureVersion::V1] {
            let service = Scenario::new("a URL")
                .tuned(move |settings| settings.signature = version)
                .service("http://127.0.0.1");
            let get = GetObject::new(BUCKET, "a.txt").draft().unwrap();
            let put = PutObject::new(BUCKET, "a.txt", "hello").draft().unwrap();
            for draft in [get, put] {
                let url = presign(&draft, &service, &key, wall, Duration::from_secs(60)).unwrap();
                let pairs = url.expose_url().split(['?', '&']).filter_map(|pair| pair.split_once('='));
                for (_, value) in pairs.filter(|(name, _)| matches!(*name, "x-oss-signature" | "Signature")) {
                    canaries.add_signature(value);
                }
                notes.show(&url);
                notes.write(&url.to_string());
                show(notes, presign(&draft, &service, &key, wall, Duration::ZERO));
                let composed = compose(&draft, &service, &key, wall).unwrap();
                let signature = composed.headers().get("authorization").unwrap().to_str().unwrap();
                canaries.add_signature(signature.rsplit(['=', ':']).next().unwrap());
                if version == SignatureVersion::V1 {
                    let digits = signature.split_once(':').unwrap().1;
                    canaries.add_signature(digits);
                }
                notes.show(&composed);
                notes.show(&composed.headers());
            }
        }
    }
}

/// A program that expects success prints the error of a failure.
fn panics(notes: &Notes) {
    let scenario = Scenario::new("a panic").credentials([temporary()]);
    let mut stage = Simulated::new(&scenario);
    let get = GetObject::new(BUCKET, "missing");
    let error = stage.fetch(&get, &mut Vec::new()).unwrap_err();
    let failed = move || -> Result<(), Error> { Err(error) };
    let panic = std::thread::spawn(move || failed().expect("the object is there")).join();
    let panic = panic.unwrap_err();
    notes.write(panic.downcast_ref::<String>().unwrap());
}

fn show<T: Debug, E: Debug + core::fmt::Display>(notes: &Notes, result: Result<T, E>) {
    match result {
        Ok(value) => notes.show(&value),
        Err(error) => {
            notes.write(&error.to_string());
            notes.show(&error);
        }
    }
}

/// A scenario of the suite, or a case of retrying.
enum Story {
    Scenario(Box<Scenario>),
    Case(Case),
}

impl Story {
    fn name(&self) -> &str {
        match self {
            Self::Scenario(scenario) => scenario.name,
            Self::Case(case) => case.id(),
        }
    }

    fn is_for_tcp(&self) -> bool {
        match self {
            // The largest bodies are for the connection, not for what is said of it.
            Self::Scenario(scenario) => !scenario.name.contains("_large_"),
            Self::Case(case) => case.is_for_tcp(),
        }
    }

    fn scenario(&self) -> Scenario {
        match self {
            Self::Scenario(scenario) => {
                scenarios().into_iter().find(|other| other.name == scenario.name).unwrap()
            }
            Self::Case(case) => case.scenario(),
        }
    }

    /// What comes of it is for others to judge.
    fn play<S: Stage>(&self, stage: &mut S) {
        match self {
            Self::Scenario(scenario) => drop(scenario.play(stage)),
            Self::Case(case) => drop(case.play(stage)),
        }
    }
}

fn stories(is_wanted: impl Fn(&Story) -> bool) -> Vec<Story> {
    let told = scenarios().into_iter().map(|scenario| Story::Scenario(Box::new(scenario)));
    let file = std::fs::read_to_string(FILE).unwrap();
    let written = cases(&file).into_iter().map(Story::Case);
    told.chain(written).filter(|story| is_wanted(story)).collect()
}

/// What was printed of a story, and what was not told of it.
fn check(story: &Story, canaries: &Canaries, signatures: Vec<String>, text: &str) -> Option<String> {
    let mut of_story = Canaries::default();
    signatures.iter().for_each(|signature| of_story.add_signature(signature));
    let found = canaries.find(text).or_else(|| of_story.find(text));
    found.map(|found| format!("{}: {found}", story.name()))
}

/// Does it with each story, several at a time, and fails with what was found.
fn each(stories: &[Story], play: impl Fn(&Story, &Canaries) -> Option<String> + Sync) {
    let canaries = canaries();
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(story) = stories.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let hit = play(story, &canaries);
                    found.lock().unwrap().extend(hit);
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{} hits\n{}", found.len(), found.join("\n"));
}

fn canaries() -> Canaries {
    Canaries::of_the_peer(system_time())
}

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/conformance/oss-retry-conformance.json");
const PROXY_PASSWORD: &str = "Wd9tLq5BxZ2-mK8vRj4P";
const THREADS: usize = 24;
