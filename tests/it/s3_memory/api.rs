//! The operations of S3 that the product uses, over the buckets in memory.

use std::sync::{Arc, Mutex, MutexGuard};

use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
#[allow(
    clippy::wildcard_imports,
    reason = "each operation has an input, an output and parts of both"
)]
use s3s::dto::*;
use s3s::{Body, S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::faults::Refusal;
use super::store::{Buckets, ListQuery, Stored, tag};

/// The buckets behind the trait.
#[derive(Debug, Clone, Default)]
pub struct Api(pub Arc<Mutex<Buckets>>);

impl Api {
    pub fn buckets(&self) -> MutexGuard<'_, Buckets> {
        self.0.lock().unwrap()
    }
}

impl From<Refusal> for S3Error {
    fn from(refusal: Refusal) -> Self {
        let code = S3ErrorCode::from_bytes(refusal.code.as_bytes()).unwrap();
        let mut error = Self::new(code);
        error.set_status_code(hyper::StatusCode::from_u16(refusal.status).unwrap());
        error
    }
}

#[async_trait::async_trait]
impl S3 for Api {
    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        if !self.buckets().has(&request.input.bucket) {
            return Err(Refusal::NO_SUCH_BUCKET.into());
        }
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let max_keys = input.max_keys.unwrap_or(1000).clamp(0, 1000);
        let query = ListQuery {
            prefix: input.prefix.as_deref().unwrap_or_default(),
            delimiter: input.delimiter.as_deref(),
            start_after: input.start_after.as_deref(),
            token: input.continuation_token.as_deref(),
            max_keys: usize::try_from(max_keys).unwrap(),
        };
        let page = self.buckets().list(&input.bucket, &query)?;
        let n_keys = page.objects.len() + page.prefixes.len();
        let contents = page.objects.into_iter().map(|(key, stored)| Object {
            size: Some(length(stored.size())),
            e_tag: Some(ETag::Strong(stored.tag())),
            last_modified: Some(stored.modified.into()),
            key: Some(key),
            ..Object::default()
        });
        let prefixes = page
            .prefixes
            .into_iter()
            .map(|prefix| CommonPrefix { prefix: Some(prefix) });
        let output = ListObjectsV2Output {
            key_count: Some(i32::try_from(n_keys).unwrap()),
            max_keys: Some(max_keys),
            is_truncated: Some(page.next_token.is_some()),
            next_continuation_token: page.next_token,
            contents: Some(contents.collect()),
            common_prefixes: Some(prefixes.collect()),
            name: Some(input.bucket),
            prefix: input.prefix,
            delimiter: input.delimiter,
            start_after: input.start_after,
            continuation_token: input.continuation_token,
            ..ListObjectsV2Output::default()
        };
        Ok(S3Response::new(output))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let stored = self.buckets().get(&input.bucket, &input.key)?;
        check_conditions(&stored, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let body = stored.body(&input.key);
        let (body, content_range) = match input.range {
            None => (body, None),
            Some(range) => {
                let taken = range.check(stored.size())?;
                let header = format!("bytes {}-{}/{}", taken.start, taken.end - 1, stored.size());
                let taken = usize::try_from(taken.start).unwrap()..usize::try_from(taken.end).unwrap();
                (body.slice(taken), Some(header))
            }
        };
        let output = GetObjectOutput {
            content_length: Some(length(body.len() as u64)),
            content_range,
            e_tag: Some(ETag::Strong(stored.tag())),
            last_modified: Some(stored.modified.into()),
            body: Some(Body::from(body).into()),
            ..GetObjectOutput::default()
        };
        Ok(S3Response::new(output))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let stored = self.buckets().get(&input.bucket, &input.key)?;
        check_conditions(&stored, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let output = HeadObjectOutput {
            content_length: Some(length(stored.size())),
            e_tag: Some(ETag::Strong(stored.tag())),
            last_modified: Some(stored.modified.into()),
            ..HeadObjectOutput::default()
        };
        Ok(S3Response::new(output))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        let body = read(input.body).await?;
        let only_new = input.if_none_match.is_some();
        let stored = self.buckets().put(&input.bucket, &input.key, body, only_new)?;
        let output = PutObjectOutput {
            e_tag: Some(ETag::Strong(stored.tag())),
            ..PutObjectOutput::default()
        };
        Ok(S3Response::new(output))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = request.input;
        self.buckets().delete(&input.bucket, &input.key)?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let input = request.input;
        let mut deleted = Vec::new();
        for object in input.delete.objects {
            self.buckets().delete(&input.bucket, &object.key)?;
            deleted.push(DeletedObject {
                key: Some(object.key),
                ..DeletedObject::default()
            });
        }
        let output = DeleteObjectsOutput {
            deleted: Some(deleted),
            ..DeleteObjectsOutput::default()
        };
        Ok(S3Response::new(output))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = request.input;
        let id = self.buckets().create_upload(&input.bucket, &input.key)?;
        let output = CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        };
        Ok(S3Response::new(output))
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let input = request.input;
        let body = read(input.body).await?;
        let etag = self
            .buckets()
            .put_part(&input.bucket, &input.upload_id, input.part_number, body)?;
        let output = UploadPartOutput {
            e_tag: Some(ETag::Strong(tag(etag))),
            ..UploadPartOutput::default()
        };
        Ok(S3Response::new(output))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        let parts = input.multipart_upload.and_then(|upload| upload.parts);
        let parts: Vec<(i32, String)> = parts
            .unwrap_or_default()
            .into_iter()
            .filter_map(|part| Some((part.part_number?, part.e_tag?.into_value())))
            .collect();
        let only_new = input.if_none_match.is_some();
        let stored = self
            .buckets()
            .complete_upload(&input.bucket, &input.upload_id, &parts, only_new)?;
        let output = CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(ETag::Strong(stored.tag())),
            ..CompleteMultipartUploadOutput::default()
        };
        Ok(S3Response::new(output))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = request.input;
        self.buckets().abort_upload(&input.bucket, &input.upload_id)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let input = request.input;
        let uploads = self.buckets().uploads(&input.bucket);
        let uploads = uploads.into_iter().map(|(id, key)| MultipartUpload {
            key: Some(key),
            upload_id: Some(id),
            ..MultipartUpload::default()
        });
        let output = ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            is_truncated: Some(false),
            uploads: Some(uploads.collect()),
            ..ListMultipartUploadsOutput::default()
        };
        Ok(S3Response::new(output))
    }
}

async fn read(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let mut whole = BytesMut::new();
    let mut body = body.ok_or_else(|| S3Error::new(S3ErrorCode::IncompleteBody))?;
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|_| S3Error::new(S3ErrorCode::IncompleteBody))?;
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

fn length(n: u64) -> i64 {
    i64::try_from(n).unwrap()
}

fn check_conditions(
    stored: &Stored,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<()> {
    let is = |condition: &ETagCondition| match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.value() == stored.tag(),
    };
    if if_match.is_some_and(|condition| !is(condition)) {
        return Err(Refusal::PRECONDITION.into());
    }
    if if_none_match.is_some_and(is) {
        return Err(S3Error::new(S3ErrorCode::NotModified));
    }
    Ok(())
}
