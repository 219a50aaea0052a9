//! Temporary credentials on plain blocking sockets: the role of an instance, and a role that it assumes.
//!
//! ```sh
//! cargo run --release --example blocking_credentials
//! ```
//!
//! It starts an emulator inside the process that plays OSS, STS and the metadata service. What the sources
//! ask is answered in `tests/src/blocking/lookup.rs`, with std alone.

use core::error::Error;

use oss_credentials::{EcsRole, RamRole, StsEndpoint};
use oss_emulator_server::{Config, Server};
use oss_proto::{Endpoint, PutObject, Region, Service};
use oss_sim::blocking::Client;

fn main() -> Result<(), Box<dyn Error>> {
    let config = Config::new("cn-hangzhou").with_ecs_role("ECSRAMRole").with_role(ROLE);
    let server = Server::start_on_thread(config)?;
    server.create_bucket("examplebucket");

    // Of the emulator's address; without the two lines the metadata service and STS themselves are asked.
    let address = server.address().to_string();
    let instance = EcsRole::new().endpoint(&address);
    let role = RamRole::new(ROLE).assumed_by(instance).endpoint(StsEndpoint::InsecureHttp(address));

    let service =
        Service::new(Endpoint::parse(&server.endpoint())?).with_region(Region::parse("cn-hangzhou")?);
    let client = Client::new(service, role);
    for number in 0..10 {
        client.call(&PutObject::new("examplebucket", format!("{number}.txt"), "hello"))?;
    }
    let counted = server.with(|emulator| emulator.counters());
    print!("{}", client.explain());
    println!("Put 10 objects with credentials after {} question to STS.", counted.assume_role);
    Ok(())
}

const ROLE: &str = "acs:ram::1234567890123456:role/writer";
