//! A remote facilitator that answers as it is told.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What `/verify` and `/settle` answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    Yes,
    /// A final no, with this reason.
    No(&'static str),
    /// Neither: a 500.
    Nothing,
}

#[derive(Clone)]
pub struct Scripted {
    pub address: SocketAddr,
    script: Arc<Mutex<Script>>,
}

struct Script {
    verify: Says,
    settle: Says,
    /// How long `/settle` takes.
    slow: Duration,
    settles: Vec<Value>,
    verifies: usize,
}

impl Scripted {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Script { verify: Says::Yes, settle: Says::Yes, slow: Duration::ZERO, settles: Vec::new(), verifies: 0 };
        let script = Arc::new(Mutex::new(script));
        let shared = Arc::clone(&script);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let script = Arc::clone(&shared);
                let service = service_fn(move |request| answer(request, Arc::clone(&script)));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, script }
    }

    pub fn verify(&self, says: Says) {
        self.script.lock().unwrap().verify = says;
    }

    pub fn settle(&self, says: Says) {
        self.script.lock().unwrap().settle = says;
    }

    pub fn settle_slowly(&self, slow: Duration) {
        self.script.lock().unwrap().slow = slow;
    }

    /// How often `/settle` was called.
    pub fn settles(&self) -> usize {
        self.script.lock().unwrap().settles.len()
    }

    /// All that `/settle` was told.
    pub fn told(&self) -> String {
        self.script.lock().unwrap().settles.iter().map(Value::to_string).collect()
    }

    pub fn calls(&self) -> usize {
        let script = self.script.lock().unwrap();
        script.verifies + script.settles.len()
    }
}

async fn answer(request: Request<Incoming>, script: Arc<Mutex<Script>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let payer = asked["paymentPayload"]["payload"]["authorization"]["from"].clone();
    let network = asked["paymentRequirements"]["network"].clone();
    let (says, answer) = match path.as_str() {
        "/verify" => {
            let says = {
                let mut script = script.lock().unwrap();
                script.verifies += 1;
                script.verify
            };
            (says, json!({ "isValid": says == Says::Yes, "invalidReason": reason(says), "payer": payer }))
        }
        "/settle" => {
            let (says, slow, count) = {
                let mut script = script.lock().unwrap();
                script.settles.push(asked);
                (script.settle, script.slow, script.settles.len())
            };
            tokio::time::sleep(slow).await;
            let hash = if says == Says::Yes { format!("0x{count:064x}") } else { String::new() };
            (
                says,
                json!({ "success": says == Says::Yes, "errorReason": reason(says), "transaction": hash, "network": network, "payer": payer }),
            )
        }
        _ => (
            Says::Yes,
            json!({ "kinds": [{ "x402Version": 2, "scheme": "exact", "network": "eip155:84532" }], "extensions": [], "signers": {} }),
        ),
    };
    let mut response = Response::new(Full::from(answer.to_string()));
    if says == Says::Nothing {
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    }
    response.headers_mut().insert("content-type", "application/json".parse().unwrap());
    Ok(response)
}

fn reason(says: Says) -> Option<&'static str> {
    match says {
        Says::No(reason) => Some(reason),
        Says::Yes | Says::Nothing => None,
    }
}
