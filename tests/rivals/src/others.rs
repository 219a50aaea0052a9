//! Transfers as the pages of the other clients show them.

use alloc::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ObjectStoreExt as _, WriteMultipart};
use opendal::Operator;
use opendal::services::Oss;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{BUCKET, ID, Job, KEY, LANES, REGION, SECRET};

type Outcome = Result<(), Box<dyn core::error::Error + Send + Sync>>;

pub(crate) async fn opendal_up(job: &Job) -> Outcome {
    let part_bytes = usize::try_from(job.part_bytes)?;
    let operator = operator(job)?;
    let mut writer = operator.writer_with(KEY).chunk(part_bytes).concurrent(LANES as usize).await?;
    let mut file = File::open(&job.file).await?;
    while let Some(part) = read(&mut file, part_bytes).await? {
        writer.write(part).await?;
    }
    writer.close().await?;
    Ok(())
}

pub(crate) async fn opendal_down(job: &Job) -> Outcome {
    let operator = operator(job)?;
    let reader = operator.reader_with(KEY).chunk(usize::try_from(job.part_bytes)?);
    let mut stream = reader.concurrent(LANES as usize).await?.into_bytes_stream(..).await?;
    let mut file = File::create(&job.target).await?;
    while let Some(bytes) = stream.try_next().await? {
        file.write_all(&bytes).await?;
    }
    file.sync_all().await?;
    Ok(())
}

pub(crate) async fn store_up(job: &Job) -> Outcome {
    let part_bytes = usize::try_from(job.part_bytes)?;
    let upload = store(job)?.put_multipart(&Path::from(KEY)).await?;
    let mut writer = WriteMultipart::new_with_chunk_size(upload, part_bytes);
    let mut file = File::open(&job.file).await?;
    while let Some(part) = read(&mut file, part_bytes).await? {
        writer.wait_for_capacity(LANES as usize).await?;
        writer.put(part);
    }
    writer.finish().await?;
    Ok(())
}

pub(crate) async fn store_down(job: &Job) -> Outcome {
    let store = Arc::new(store(job)?);
    let size = store.head(&Path::from(KEY)).await?.size;
    let starts = (0..size).step_by(usize::try_from(job.part_bytes)?);
    let ranges = starts.map(|start| start..(start + job.part_bytes).min(size));
    let parts = futures_util::stream::iter(ranges).map(|range| {
        let store = Arc::clone(&store);
        async move { store.get_range(&Path::from(KEY), range).await }
    });
    let mut parts = parts.buffered(LANES as usize);
    let mut file = File::create(&job.target).await?;
    while let Some(part) = parts.try_next().await? {
        file.write_all(&part).await?;
    }
    file.sync_all().await?;
    Ok(())
}

fn operator(job: &Job) -> opendal::Result<Operator> {
    let service = Oss::default().endpoint(&format!("http://{}", job.peer)).bucket(BUCKET);
    let service = service.addressing_style("path").access_key_id(ID).access_key_secret(SECRET);
    Operator::new(service)
}

/// It signs for S3 (AWS4-HMAC-SHA256), which this server refuses: unsigned, to a bucket that is open to all.
fn store(job: &Job) -> object_store::Result<AmazonS3> {
    let builder = AmazonS3Builder::new().with_endpoint(format!("http://{}", job.peer)).with_allow_http(true);
    let builder = builder.with_bucket_name(BUCKET).with_region(REGION);
    match std::env::var_os("SIGNED") {
        Some(_) => builder.with_access_key_id(ID).with_secret_access_key(SECRET).build(),
        None => builder.with_skip_signature(true).build(),
    }
}

/// The next bytes of a file, as many as asked for unless it ends; `None` at its end.
async fn read(file: &mut File, bytes: usize) -> std::io::Result<Option<Bytes>> {
    let mut part = Vec::with_capacity(bytes);
    file.take(bytes as u64).read_to_end(&mut part).await?;
    Ok((!part.is_empty()).then(|| part.into()))
}
