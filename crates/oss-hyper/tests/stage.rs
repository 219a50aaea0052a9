//! The stage of the examples: every kind of host name over http and https, through a resolver.
#![cfg(feature = "rustls")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

#[path = "../examples/stage/mod.rs"]
mod stage;

use oss_hyper::{Addressing, Client, Credentials, Endpoint, Region, Service};
use stage::{BUCKET, CNAME, ID, REGION, SECRET, Stage};

#[tokio::test]
async fn every_name_leads_to_the_stage_and_tls_checks_it() {
    let stage = Stage::up().await.unwrap();
    let transport = stage.transport().build().unwrap();
    let region = Region::parse(REGION).unwrap();
    let cname = Endpoint::parse(CNAME).unwrap().with_addressing(Addressing::Cname);
    let endpoints = [
        "oss-cn-hangzhou.aliyuncs.com".to_owned(),
        "http://oss-cn-hangzhou.aliyuncs.com".to_owned(),
        "oss-cn-hangzhou-internal.aliyuncs.com".to_owned(),
        "cn-hangzhou.oss.aliyuncs.com".to_owned(),
        "oss-accelerate.aliyuncs.com".to_owned(),
        "http://oss-accelerate-overseas.aliyuncs.com".to_owned(),
        format!("http://{}", stage.address()),
    ];
    let parsed = endpoints.iter().map(|endpoint| (Endpoint::parse(endpoint).unwrap(), endpoint.as_str()));
    for (endpoint, said) in parsed.chain([(cname, "cname")]) {
        let service = Service::new(endpoint).with_region(region.clone());
        let client = Client::new(service, Credentials::new(ID, SECRET).unwrap());
        let bucket = client.with_transport(transport.clone()).bucket(BUCKET).unwrap();
        bucket.put("key", said.to_owned()).await.unwrap();
        assert_eq!(bucket.get("key").await.unwrap().text().await.unwrap(), said);
    }
    assert_eq!(stage.handle().with(|emulator| emulator.objects(BUCKET).count()), 1);
}
