//! The command `oss-emulator`: starts a server and prints how to reach it.
#![forbid(unsafe_code)]

mod args;

use core::time::Duration;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::SystemTime;

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
        let token = arguments.oidc_token_file().map(oidc_token).transpose()?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let config = arguments.config(token.as_deref(), now + TOKEN_LIFETIME);
        let server = Server::bind(address, config).await.map_err(|error| {
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

fn oidc_token(path: &str) -> io::Result<String> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let text = format!("cannot read {path}: {error}; name a file with --oidc-token-file");
        io::Error::new(error.kind(), text)
    })?;
    Ok(text.trim().to_owned())
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

/// A year: whoever starts a server by hand does not wait for a token to expire.
const TOKEN_LIFETIME: Duration = Duration::from_secs(365 * 24 * 3600);
