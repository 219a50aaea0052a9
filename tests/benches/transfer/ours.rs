//! The same by `oss-hyper`: signed, checked, repeated where need be, and into a file that appears whole.

use oss_hyper::transfer::TransferError;
use oss_hyper::{
    Bucket, BucketAcl, BucketName, Client, Credentials, Endpoint, PutBucketAcl, Region, Service,
};

use crate::{BUCKET, ID, Job, KEY, LANES, REGION, SECRET};

pub(crate) async fn up(job: &Job) -> Result<(), TransferError> {
    let transfer = bucket(job).upload_file(KEY, &job.file);
    transfer.lanes(LANES).part_size(job.part_bytes).await.map(drop)
}

pub(crate) async fn down(job: &Job) -> Result<(), TransferError> {
    let transfer = bucket(job).download_file(KEY, &job.target);
    transfer.lanes(LANES).part_size(job.part_bytes).await.map(drop)
}

/// Lets the floor in, which signs nothing.
pub(crate) async fn open_to_all(job: &Job) {
    bucket(job).send(PutBucketAcl::new(BUCKET, BucketAcl::PublicReadWrite)).await.unwrap();
}

fn bucket(job: &Job) -> Bucket {
    let endpoint = Endpoint::parse(&format!("http://{}", job.peer)).unwrap();
    let service = Service::new(endpoint).with_region(Region::parse(REGION).unwrap());
    let service = service.with_bucket(BucketName::parse(BUCKET).unwrap());
    Client::new(service, Credentials::new(ID, SECRET).unwrap()).bucket(BUCKET).unwrap()
}
