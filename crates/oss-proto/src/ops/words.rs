//! Words that several operations share.

words! {
    /// Who may read and write an object.
    ObjectAcl {
        /// The bucket's rule holds:
        Default = "default",
        /// Only the owner:
        Private = "private",
        /// Anyone may read:
        PublicRead = "public-read",
        /// Anyone may read and write:
        PublicReadWrite = "public-read-write",
    }

    /// Who may read and write a bucket.
    BucketAcl {
        /// Only the owner:
        Private = "private",
        /// Anyone may read:
        PublicRead = "public-read",
        /// Anyone may read and write:
        PublicReadWrite = "public-read-write",
    }

    /// How often an object is expected to be read, and so what it costs.
    StorageClass {
        /// Read often:
        Standard = "Standard",
        /// Infrequent access:
        Ia = "IA",
        /// Rarely read; restored before reading unless direct read is on:
        Archive = "Archive",
        /// Hardly ever read; restored before reading:
        ColdArchive = "ColdArchive",
        /// Kept for years; restored before reading:
        DeepColdArchive = "DeepColdArchive",
    }

    /// How many zones hold the data.
    DataRedundancyType {
        /// Locally redundant, in one zone:
        Lrs = "LRS",
        /// Zone-redundant, in several zones:
        Zrs = "ZRS",
    }

    /// Which algorithm encrypts the object at rest.
    SseAlgorithm {
        /// Keys that OSS manages:
        Aes256 = "AES256",
        /// Keys in the key management service:
        Kms = "KMS",
        /// The SM4 algorithm:
        Sm4 = "SM4",
    }

    /// Who pays for the request and its traffic.
    RequestPayer {
        /// The one who makes the request:
        Requester = "requester",
    }

    /// Whether a copy takes something from its source or from the request.
    CopyDirective {
        /// From the source:
        Copy = "COPY",
        /// From the request:
        Replace = "REPLACE",
    }

    /// How keys and prefixes in a list are encoded.
    EncodingType {
        /// Percent-encoded UTF-8; decoded before you see it:
        Url = "url",
    }

    /// The retention mode of an object.
    ObjectWormMode {
        /// May be lifted with a special right:
        Governance = "GOVERNANCE",
        /// May not be lifted by anyone:
        Compliance = "COMPLIANCE",
    }

    /// Whether an object is under legal hold.
    LegalHold {
        /// It is:
        On = "ON",
        /// It is not:
        Off = "OFF",
    }

    /// Whether a bucket keeps the versions of its objects.
    VersioningStatus {
        /// Every write makes a version:
        Enabled = "Enabled",
        /// Writes replace the version `null`; others are kept:
        Suspended = "Suspended",
    }

    /// Who pays for requests to a bucket and their traffic.
    Payer {
        /// The owner of the bucket:
        BucketOwner = "BucketOwner",
        /// The one who makes the request:
        Requester = "Requester",
    }

    /// How an object was made.
    ObjectType {
        /// In one request:
        Normal = "Normal",
        /// Of parts:
        Multipart = "Multipart",
        /// By appending:
        Appendable = "Appendable",
        /// It is a link to another object:
        Symlink = "Symlink",
    }

    /// How fast an archived object is restored.
    RestoreTier {
        /// Within an hour (Cold Archive) or 12 hours (Deep Cold Archive):
        Expedited = "Expedited",
        /// In 2 to 5 hours (Cold Archive) or 48 hours (Deep Cold Archive):
        Standard = "Standard",
        /// In 5 to 12 hours (Cold Archive):
        Bulk = "Bulk",
    }
}
