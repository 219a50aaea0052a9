//! The everyday verbs of one bucket.

use core::time::Duration;

use oss_proto::{
    BucketName, ByteRange, Checked, CopyObject, CopyObjectOutput, CopySource, DeleteObject,
    DeleteObjectOutput, Error, GetObject, HeadObject, HeadObjectOutput, IntoField, ListObjectsV2, ObjectKey,
    Operation, Paged, Presigned, PutObject, PutObjectOutput, Reply,
};

use crate::{Body, Client, CredentialsProvider, Object, Overrides, Pages};

/// One bucket: the everyday verbs, and every other operation through [`send`](Self::send).
///
/// A clone is the same bucket over the same connections.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: Client,
    name: BucketName,
}

impl Bucket {
    /// A bucket of a region, over its public endpoint.
    ///
    /// # Errors
    /// When the region or the bucket's name is not one by its form; nothing is sent.
    pub fn connect(
        region: impl AsRef<str>,
        name: impl IntoField<Checked<BucketName>>,
        provider: impl Into<CredentialsProvider>,
    ) -> Result<Self, Error> {
        Client::connect(region, provider)?.bucket(name)
    }

    pub(crate) fn new(client: Client, name: BucketName) -> Self {
        Self { client, name }
    }

    /// Its name.
    pub fn name(&self) -> &BucketName {
        &self.name
    }

    /// The client behind it; an operation that names no bucket goes to this one.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The same bucket with some things done differently: for one call, or for as many as are made with it.
    #[must_use]
    pub fn with(&self, overrides: &Overrides) -> Self {
        Self { client: self.client.with(overrides), name: self.name.clone() }
    }

    /// Uploads an object: text, bytes, a reader, a file.
    ///
    /// # Errors
    /// As [`Client::send_from`].
    pub async fn put(
        &self,
        key: impl IntoField<Checked<ObjectKey>>,
        body: impl Into<Body>,
    ) -> Result<Reply<PutObjectOutput>, Error> {
        let body = body.into();
        self.send_from(PutObject::to(key, body.payload()), body).await
    }

    /// Begins to read an object.
    ///
    /// # Errors
    /// As [`Client::open`]; `is_not_found()` when there is none.
    pub async fn get(&self, key: impl IntoField<Checked<ObjectKey>>) -> Result<Object, Error> {
        self.open(GetObject::to(key)).await
    }

    /// Begins to read a range of an object: `0..100`, `4096..`, `ByteRange::suffix(10)`.
    ///
    /// # Errors
    /// As [`Client::open`]; a range that holds no byte of the object is an error of OSS, `InvalidRange`.
    pub async fn get_range(
        &self,
        key: impl IntoField<Checked<ObjectKey>>,
        range: impl IntoField<ByteRange>,
    ) -> Result<Object, Error> {
        self.open(GetObject::to(key).range(range)).await
    }

    /// Everything about an object but its content.
    ///
    /// # Errors
    /// As [`Client::send`]; `is_not_found()` when there is none.
    pub async fn head(
        &self,
        key: impl IntoField<Checked<ObjectKey>>,
    ) -> Result<Reply<HeadObjectOutput>, Error> {
        self.client.send(HeadObject::to(key)).await
    }

    /// Whether there is such an object.
    ///
    /// # Errors
    /// As [`Client::send`]; a missing bucket is an error, not a "no".
    pub async fn exists(&self, key: impl IntoField<Checked<ObjectKey>>) -> Result<bool, Error> {
        match self.head(key).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() && error.code() != Some("NoSuchBucket") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes an object; succeeds as well when there is none.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn delete(
        &self,
        key: impl IntoField<Checked<ObjectKey>>,
    ) -> Result<Reply<DeleteObjectOutput>, Error> {
        self.client.send(DeleteObject::to(key)).await
    }

    /// Copies an object of this bucket to another key of it.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn copy(
        &self,
        from: impl IntoField<Checked<ObjectKey>>,
        to: impl IntoField<Checked<ObjectKey>>,
    ) -> Result<Reply<CopyObjectOutput>, Error> {
        self.client.send(CopyObject::to(to, CopySource::new(&self.name, from))).await
    }

    /// The objects whose keys begin with a prefix, in pages of 1,000.
    pub fn list(&self, prefix: impl IntoField<String>) -> Pages<ListObjectsV2> {
        self.pages(ListObjectsV2::here().prefix(prefix).max_keys(1000))
    }

    /// A URL with which its holder may make this request until it expires.
    ///
    /// # Errors
    /// As [`Client::presign`].
    pub async fn presign<O: Operation>(&self, operation: O, valid_for: Duration) -> Result<Presigned, Error> {
        self.client.presign(operation, valid_for).await
    }

    /// Begins to read an object, with every option: `GetObject::to(key).if_match(etag)`.
    ///
    /// # Errors
    /// As [`Client::open`].
    pub async fn open(&self, operation: GetObject) -> Result<Object, Error> {
        self.client.open(operation).await
    }

    /// Makes any call; one that names no bucket goes to this one.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn send<O: Operation>(&self, operation: O) -> Result<Reply<O::Output>, Error> {
        self.client.send(operation).await
    }

    /// Makes a call with this body, whatever body the operation was made with: [`PutObject`] with options,
    /// from a reader.
    ///
    /// # Errors
    /// As [`Client::send_from`].
    pub async fn send_from<O: Operation>(
        &self,
        operation: O,
        body: impl Into<Body>,
    ) -> Result<Reply<O::Output>, Error> {
        self.client.send_from(operation, body).await
    }

    /// The pages of a list, one call each; one that names no bucket is of this one.
    pub fn pages<O: Paged>(&self, operation: O) -> Pages<O> {
        self.client.pages(operation)
    }
}
