//! The authorization code flow with PKCE, answered on a loopback port (RFC 8252, 7.3; RFC 7636).

use super::issuer::{self, Issuer};
use super::tokens::Tokens;
use crate::failure::{Exit, Failure, Result};
use oauth2::{AuthUrl, AuthorizationCode, CsrfToken, PkceCodeChallenge, RedirectUrl, TokenUrl};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};
use url::Url;
use wire::view::Login;

/// How long the browser may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// More of a request than a browser sends.
const MOST_BYTES: u64 = 64 * 1024;

/// Opens the issuer's page with `open`, and waits for the browser to come back.
pub fn log_in(issuer: &Issuer, login: &Login, open: impl FnOnce(&str)) -> Result<Tokens> {
    let listener = listen(&login.ports)?;
    let port = listener.local_addr().map_err(|error| Failure::new(Exit::Failed, "The loopback port has no number.").because(error))?.port();
    let client = issuer
        .client(login)
        .set_auth_uri(issuer::endpoint(AuthUrl::new(issuer.authorization_endpoint.clone()))?)
        .set_token_uri(issuer::endpoint(TokenUrl::new(issuer.token_endpoint.clone()))?)
        .set_redirect_uri(issuer::endpoint(RedirectUrl::new(format!("http://localhost:{port}/callback")))?);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (page, state) = client.authorize_url(CsrfToken::new_random).add_scopes(issuer.scopes()).set_pkce_challenge(challenge).url();
    open(page.as_str());
    let code = wait_for_code(&listener, state.secret())?;
    let answer = client.exchange_code(AuthorizationCode::new(code)).set_pkce_verifier(verifier).request(&issuer::send);
    issuer.tokens(login, &answer.map_err(|error| issuer::refused(issuer, &error))?)
}

/// The first port that is free, of those that the issuer lets people come back to.
fn listen(ports: &[u16]) -> Result<TcpListener> {
    let listener = ports.iter().find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).ok());
    let listener = listener.filter(|listener| listener.set_nonblocking(true).is_ok());
    listener.ok_or_else(|| {
        Failure::new(Exit::Failed, "None of the ports that the login may come back to is free.")
            .because(format!("They are {ports:?}, on this machine's loopback address."))
            .next("End what uses one of them (another groundwork login?), or log in with a code: groundwork login --device")
    })
}

fn wait_for_code(listener: &TcpListener, state: &str) -> Result<String> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        match listener.accept() {
            Ok((stream, _)) => {
                if let Some(code) = answer(stream, state)? {
                    return Ok(code);
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => sleep(Duration::from_millis(50)),
            Err(error) => return Err(Failure::new(Exit::Failed, "The browser's answer cannot be read.").because(error)),
        }
    }
    let minutes = PATIENCE.as_secs() / 60;
    Err(Failure::new(Exit::Login, format!("Nobody logged in within {minutes} minutes.")).next("groundwork login"))
}

/// The code, if this request brings it. A browser asks for other things, too, and others on this machine may ask for anything.
fn answer(mut stream: TcpStream, state: &str) -> Result<Option<String>> {
    let Some(parameters) = parameters(&stream) else {
        say(&mut stream, "404 Not Found", "There is nothing here.");
        return Ok(None);
    };
    if parameters.get("state").map(String::as_str) != Some(state) {
        say(&mut stream, "400 Bad Request", "This is not the login that groundwork waits for.");
        return Ok(None);
    }
    if let Some(code) = parameters.get("code") {
        say(&mut stream, "200 OK", "You are logged in. You can close this page and go back to the terminal.");
        return Ok(Some(code.clone()));
    }
    say(&mut stream, "200 OK", "You are not logged in. The terminal says why.");
    let error = ["error", "error_description"].into_iter().filter_map(|name| parameters.get(name));
    let said = error.map(String::as_str).collect::<Vec<_>>().join(": ");
    Err(Failure::new(Exit::Login, "The issuer did not log you in.").because(said).next("groundwork login"))
}

/// The query of a request for `/callback`.
fn parameters(stream: &TcpStream) -> Option<HashMap<String, String>> {
    stream.set_nonblocking(false).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut lines = BufReader::new(stream.take(MOST_BYTES)).lines();
    let request = lines.next()?.ok()?;
    // Read to the end of the headers, or closing would reset the connection under the answer.
    lines.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty())).for_each(drop);
    let target = request.strip_prefix("GET ")?.split(' ').next()?;
    let url = Url::parse("http://localhost").ok()?.join(target).ok()?;
    (url.path() == "/callback").then(|| url.query_pairs().into_owned().collect())
}

/// To somebody who may have gone; then there is nobody to tell.
fn say(stream: &mut TcpStream, status: &str, text: &str) {
    let page =
        format!("<!doctype html><meta charset=utf-8><title>Groundwork</title><p style=\"font: 1.2em sans-serif; margin: 3em\">{text}");
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close", page.len());
    if let Err(error) = write!(stream, "{head}\r\n\r\n{page}") {
        eprintln!("The browser did not read the answer: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the browser reads, and what comes of it, for one request.
    fn asked(target: &str) -> (String, Result<Option<String>>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let mut browser = TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
        write!(browser, "GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
        let came = answer(listener.accept().expect("a request").0, "s3cret");
        let mut read = String::new();
        browser.read_to_string(&mut read).expect("an answer");
        (read.lines().next().unwrap_or_default().to_owned(), came)
    }

    #[test]
    fn only_the_login_that_was_begun_brings_a_code() {
        for (target, status, code, reason) in [
            ("/callback?code=a%2Bb&state=s3cret", "200 OK", Some("a+b"), "the issuer's own redirect"),
            ("/callback?code=a&state=other", "400 Bad Request", None, "somebody else's"),
            ("/callback?code=a", "400 Bad Request", None, "without the state"),
            ("/favicon.ico", "404 Not Found", None, "browsers ask for it"),
        ] {
            let (said, came) = asked(target);
            assert_eq!((said, came), (format!("HTTP/1.1 {status}"), Ok(code.map(str::to_owned))), "{reason}");
        }
    }

    #[test]
    fn what_the_issuer_says_is_told() {
        let (_, came) = asked("/callback?error=access_denied&error_description=Not+you&state=s3cret");
        let failure = came.expect_err("refused");
        assert_eq!((failure.exit, failure.why), (Exit::Login, vec!["access_denied: Not you".to_owned()]));
    }

    #[test]
    fn the_first_free_port_is_taken() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = taken.local_addr().expect("an address").port();
        assert!(listen(&[port]).is_err_and(|failure| failure.next.is_some_and(|next| next.contains("--device"))));
        assert!(listen(&[port, 0]).is_ok());
    }
}
