//! A request's body, kept until it is known to be the one that was paid for. A small one in memory, a larger one in a temporary file that
//! has no name.

use std::{io::SeekFrom, time::Duration};

use alloy_primitives::Keccak256;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
};
use x402::B256;

use crate::{Body, body::BodyError};

/// The largest body that is compared, in bytes.
const MOST: u64 = 1 << 30;
/// Bytes read from the file at a time.
const PIECE: usize = 64 * 1024;

/// Why a body could not be kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unkept {
    /// The client's fault: it broke off, fell silent, or sent more than [`MOST`].
    #[error(transparent)]
    Body(#[from] BodyError),
    /// Ours.
    #[error("a request's body cannot be kept in a temporary file: {0}")]
    File(#[from] std::io::Error),
}

/// What has come of a body.
pub(super) struct Spool {
    /// `None`: all of it has come.
    rest: Option<Body>,
    hasher: Keccak256,
    length: u64,
    memory: BytesMut,
    file: Option<File>,
    /// How long the client may be silent.
    patience: Duration,
}

impl Spool {
    pub fn new(body: Body, patience: Duration) -> Self {
        let (hasher, memory) = (Keccak256::new(), BytesMut::new());
        Self { rest: Some(body), hasher, length: 0, memory, file: None, patience }
    }

    /// Reads into memory, to the body's end or beyond `most` bytes.
    pub async fn begin(&mut self, most: u64) -> Result<(), Unkept> {
        while self.length <= most
            && let Some(data) = self.next().await?
        {
            self.memory.extend_from_slice(&data);
        }
        Ok(())
    }

    /// Reads to the body's end, into a file.
    pub async fn finish(&mut self) -> Result<(), Unkept> {
        if self.is_whole() {
            return Ok(());
        }
        let file = tokio::task::spawn_blocking(tempfile::tempfile).await.map_err(std::io::Error::other)??;
        let mut file = File::from_std(file);
        file.write_all(&std::mem::take(&mut self.memory)).await?;
        while let Some(data) = self.next().await? {
            file.write_all(&data).await?;
        }
        file.flush().await?;
        file.seek(SeekFrom::Start(0)).await?;
        self.file = Some(file);
        Ok(())
    }

    pub fn is_whole(&self) -> bool {
        self.rest.is_none()
    }

    /// Of what has come.
    pub fn digest(&self) -> B256 {
        self.hasher.clone().finalize()
    }

    /// The body: what has been kept of it, or, where nothing has been read, the body itself. Trailers are dropped with the former.
    pub fn into_body(self) -> Body {
        match (self.rest, self.file) {
            (Some(untouched), _) => untouched,
            (None, None) => Body::from(self.memory.freeze()),
            (None, Some(file)) => Body::new(StreamBody::new(stream::try_unfold(file, piece))),
        }
    }

    /// More of the body; trailers are passed over.
    async fn next(&mut self) -> Result<Option<Bytes>, Unkept> {
        while let Some(rest) = &mut self.rest {
            let silent = || BodyError::Other("the request's body does not go on".to_owned());
            let Some(frame) = tokio::time::timeout(self.patience, rest.frame()).await.map_err(|_| silent())? else {
                self.rest = None;
                break;
            };
            let Ok(data) = frame?.into_data() else { continue };
            self.length = self.length.saturating_add(data.len() as u64);
            if self.length > MOST {
                return Err(BodyError::TooLarge(MOST).into());
            }
            self.hasher.update(&data);
            return Ok(Some(data));
        }
        Ok(None)
    }
}

/// The next piece of a file, until its end.
async fn piece(mut file: File) -> Result<Option<(Frame<Bytes>, File)>, BodyError> {
    let mut bytes = BytesMut::with_capacity(PIECE);
    let read = file.read_buf(&mut bytes).await.map_err(|error| BodyError::Other(error.to_string()))?;
    Ok((read > 0).then(|| (Frame::data(bytes.freeze()), file)))
}
