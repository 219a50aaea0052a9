//! A client that does not compare the CRC-64 of what it sends and receives: not recommended.
//!
//! Answers "Disable CRC-64" (`enable_crc`) of "Initialization", and the rows `disable_upload_crc64_check`
//! and `disable_download_crc64_check` of "OSSClient configuration parameters".

mod stage;

use oss_hyper::{Config, Environment, Integrity};
use stage::{Outcome, Stage};

#[tokio::main]
async fn main() -> Outcome {
    let stage = Stage::open().await?;

    let config = Config::new().region("cn-hangzhou").credentials_provider(Environment);
    let both = config.clone().enable_crc(false);
    let one_by_one = config.disable_upload_crc64_check(true).disable_download_crc64_check(true);

    for config in [both, one_by_one] {
        let bucket = stage.over(config).bucket("examplebucket")?;
        bucket.put("example.txt", "hello").await?;
        let mut object = bucket.get("example.txt").await?;
        while object.chunk().await?.is_some() {}
        let verified = object.verified().ok_or("not read to its end")?;
        assert_eq!(verified.integrity, Integrity::Length);
        println!("downloaded {} bytes, and only their number is certain", verified.bytes);
    }
    Ok(())
}
