//! The command `oss-emulator`: starts a server and prints how to reach it.
#![forbid(unsafe_code)]

mod args;

use std::io::{self, Write as _};
use std::process::ExitCode;

use oss_emulator_server::Server;

use crate::args::{Arguments, Wish};

fn main() -> ExitCode {
    match Arguments::parse(std::env::args().skip(1)) {
        Ok(Wish::Help) => finish(say(args::HELP)),
        Ok(Wish::Version) => finish(say(concat!("oss-emulator ", env!("CARGO_PKG_VERSION"), "\n"))),
        Ok(Wish::Serve(arguments)) => finish(serve(&arguments)),
        Err(message) => {
            eprintln!("oss-emulator: {message}");
            ExitCode::from(2)
        }
    }
}

fn serve(arguments: &Arguments) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let address = arguments.address();
        let server = Server::bind(address, arguments.config()).await.map_err(|error| {
            let text =
                format!("cannot listen on {address}: {error}; choose another --port (0 is a free one)");
            io::Error::new(error.kind(), text)
        })?;
        for bucket in arguments.buckets() {
            server.create_bucket(bucket);
        }
        say(&arguments.greeting(&server.endpoint()))?;
        server.wait().await;
        Ok(())
    })
}

fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn finish(result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("oss-emulator: {error}");
            ExitCode::FAILURE
        }
    }
}
