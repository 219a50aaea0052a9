//! The page that reading is measured with, here and by the gate on allocations.

use core::fmt::Write;

/// What OSS answers to ListObjectsV2 with `max-keys=1000`, `fetch-owner=true` and `encoding-type=url`: 1,000
/// objects, 430 KB, indented as the samples of the documents are. Two keys in three are percent-encoded.
pub(crate) fn page() -> Vec<u8> {
    let mut page = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult>\n  <Name>examplebucket</Name>\n  \
         <Prefix>archive%2F2023%2F</Prefix>\n  <MaxKeys>1000</MaxKeys>\n  <Delimiter></Delimiter>\n  \
         <EncodingType>url</EncodingType>\n  <IsTruncated>true</IsTruncated>\n",
    );
    for index in 0..OBJECTS {
        let key = match index % 3 {
            0 => format!("readings-of-the-weather-station-on-the-northern-roof-{index:08}.csv.gz"),
            1 => format!("archive%2F2023%2F12%2F%E7%9B%AE%E5%BD%95%2Freadings-of-the-day-{index:08}.parquet"),
            _ => format!("archive%2F2023%2F12%2Fstation%20north%2Freadings-of-the-day-{index:08}.parquet"),
        };
        let size = index * 7919 + 1024;
        let tag = 0x5b3c_1a2e_053d_763e_1b00_2cc6_07c5_a0fe_u128.wrapping_mul(index as u128 + 1);
        let (minute, second) = (index / 60 % 60, index % 60);
        // Writing to a String cannot fail.
        let _ = write!(
            page,
            "  <Contents>\n    <Key>{key}</Key>\n    \
             <LastModified>2023-12-16T16:{minute:02}:{second:02}.000Z</LastModified>\n    \
             <ETag>\"{tag:032X}\"</ETag>\n    <Type>Normal</Type>\n    <Size>{size}</Size>\n    \
             <StorageClass>Standard</StorageClass>\n    <Owner>\n      <ID>1234567890123456</ID>\n      \
             <DisplayName>1234567890123456</DisplayName>\n    </Owner>\n  </Contents>\n"
        );
    }
    page.push_str("  <KeyCount>1000</KeyCount>\n  <NextContinuationToken>");
    page.push_str("CgJiYw--</NextContinuationToken>\n</ListBucketResult>\n");
    page.into_bytes()
}

/// How many objects the page has.
pub(crate) const OBJECTS: usize = 1000;
