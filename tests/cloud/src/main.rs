//! The local cloud as an HTTP proxy between the functions and a local AWS.
//!
//! `cloud --port 4567 --nat-port 4568 --aws http://127.0.0.1:4566 --speed 60 --seed 1`; its own paths begin with `/_cloud/`.

use bytes::Bytes;
use cloud::account::Account;
use cloud::answer::{Answer, json_answer};
use cloud::call::ThroughNat;
use cloud::cloud::{Aws, Cloud, NoAnswer};
use cloud::control_plane::ControlPlane;
use cloud::faults::Fault;
use cloud::world::World;
use futures::future::{BoxFuture, FutureExt};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::read()?;
    let internet = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let nat = TcpListener::bind((Ipv4Addr::LOCALHOST, options.nat_port)).await?;
    let behind = LocalAws { address: options.aws, client: Client::builder(TokioExecutor::new()).build_http() };
    let cloud = Arc::new(Cloud::new(behind, World::new(options.seed, options.speed)));
    loop {
        let (stream, is_through_nat) = tokio::select! {
            came = internet.accept() => (came?.0, false),
            came = nat.accept() => (came?.0, true),
        };
        let cloud = Arc::clone(&cloud);
        tokio::spawn(async move {
            let service = service_fn(|mut request| {
                if is_through_nat {
                    request.extensions_mut().insert(ThroughNat);
                }
                serve(Arc::clone(&cloud), request)
            });
            // A connection that ends early is a requested fault or a client that went away.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

struct Options {
    port: u16,
    nat_port: u16,
    aws: String,
    speed: f64,
    seed: u64,
}

impl Options {
    fn read() -> Result<Self, lexopt::Error> {
        use lexopt::prelude::{Long, ValueExt};
        let mut options = Self { port: 4567, nat_port: 4568, aws: "http://127.0.0.1:4566".into(), speed: 60.0, seed: 1 };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("port") => options.port = arguments.value()?.parse()?,
                Long("nat-port") => options.nat_port = arguments.value()?.parse()?,
                Long("aws") => options.aws = arguments.value()?.string()?,
                Long("speed") => options.speed = arguments.value()?.parse()?,
                Long("seed") => options.seed = arguments.value()?.parse()?,
                other => return Err(other.unexpected()),
            }
        }
        Ok(options)
    }
}

/// An error instead of an answer makes hyper drop the connection, so the client sees a reset. If the client goes away, its call goes on:
/// AWS carries it out, and the cloud has to know.
async fn serve(cloud: Arc<Cloud<LocalAws>>, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let request = Request::from_parts(parts, body);
    let answer = match request.uri().path().strip_prefix("/_cloud/") {
        Some(path) => own(&cloud, path, &request),
        None => match tokio::spawn(async move { cloud.call(request).await }).await? {
            Ok(answer) => answer,
            Err(NoAnswer::Reset) => return Err(io::ErrorKind::ConnectionReset.into()),
            Err(NoAnswer::Silence) => std::future::pending().await,
        },
    };
    Ok(answer.map(Full::new))
}

/// The cloud's own paths: `PUT faults` with a list of them, `PUT accounts` with what each is like by its number, `PUT control-planes` with
/// those that answer, which tells whose should, `GET report`, `GET authorizations`.
fn own(cloud: &Cloud<LocalAws>, path: &str, request: &Request<Bytes>) -> Answer {
    match (request.method(), path) {
        (&Method::GET, "authorizations") => json_answer(&serde_json::json!(cloud.authorizations())),
        (&Method::GET, "report") => json_answer(&serde_json::json!(cloud.report())),
        (&Method::PUT, "accounts") => done(accounts(request.body()).map(|accounts| {
            accounts.into_iter().for_each(|(number, account)| cloud.set_account(number, account));
        })),
        (&Method::PUT, "control-planes") => match serde_json::from_slice::<Vec<ControlPlane>>(request.body()) {
            Ok(answering) => json_answer(&serde_json::json!(cloud.set_control_planes(answering))),
            Err(error) => plain(StatusCode::BAD_REQUEST, error.to_string()),
        },
        (&Method::PUT, "faults") => done(faults(request.body()).map(|faults| cloud.set_faults(faults))),
        _ => plain(StatusCode::NOT_FOUND, "GET /_cloud/{report,authorizations} or PUT /_cloud/{accounts,control-planes,faults}".to_owned()),
    }
}

fn done(outcome: Result<(), String>) -> Answer {
    match outcome {
        Ok(()) => plain(StatusCode::NO_CONTENT, String::new()),
        Err(reason) => plain(StatusCode::BAD_REQUEST, reason),
    }
}

fn accounts(body: &[u8]) -> Result<BTreeMap<String, Account>, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn faults(body: &[u8]) -> Result<Vec<Fault>, String> {
    let faults: Vec<Fault> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    faults.iter().try_for_each(Fault::check)?;
    Ok(faults)
}

fn plain(status: StatusCode, text: String) -> Answer {
    let mut answer = Answer::new(text.into());
    *answer.status_mut() = status;
    answer
}

struct LocalAws {
    address: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Aws for LocalAws {
    /// The request as it was signed, except for the address.
    fn call(&self, mut request: Request<Bytes>) -> BoxFuture<'_, Option<Answer>> {
        async move {
            let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
            *request.uri_mut() = format!("{}{path}", self.address).parse::<Uri>().ok()?;
            let answer = self.client.request(request.map(Full::new)).await.ok()?;
            let (parts, body) = answer.into_parts();
            Some(Response::from_parts(parts, body.collect().await.ok()?.to_bytes()))
        }
        .boxed()
    }
}
