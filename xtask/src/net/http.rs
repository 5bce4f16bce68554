use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, bail};

/// Longer than any answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// One kept-alive connection to one server.
pub struct Client {
    authority: String,
    connection: Option<BufReader<TcpStream>>,
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Client {
    /// A client of `http://host:port`; nothing is opened yet.
    pub fn new(url: &str) -> Self {
        Self { authority: url.trim_start_matches("http://").trim_end_matches('/').to_owned(), connection: None }
    }

    pub fn get(&mut self, path: &str) -> anyhow::Result<Response> {
        self.send("GET", path, &[], &[])
    }

    /// Sends the headers as they are given, after `Host`, and a `Content-Length` where there is a body.
    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> anyhow::Result<Response> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.authority);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        self.exchange(&[head.as_bytes(), body].concat(), method == "HEAD")
    }

    /// Writes these bytes and reads one response. A connection that the server had closed meanwhile is opened anew once.
    pub fn exchange(&mut self, bytes: &[u8], headless: bool) -> anyhow::Result<Response> {
        if let Some(connection) = self.connection.take()
            && let Ok(response) = self.attempt(connection, bytes, headless)
        {
            return Ok(response);
        }
        let stream = TcpStream::connect(&self.authority).with_context(|| format!("no connection to {}", self.authority))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        self.attempt(BufReader::new(stream), bytes, headless)
    }

    fn attempt(&mut self, mut connection: BufReader<TcpStream>, bytes: &[u8], headless: bool) -> anyhow::Result<Response> {
        connection.get_mut().write_all(bytes)?;
        let (response, reusable) = read(&mut connection, headless)?;
        if reusable {
            self.connection = Some(connection);
        }
        Ok(response)
    }
}

fn read(connection: &mut BufReader<TcpStream>, headless: bool) -> anyhow::Result<(Response, bool)> {
    let (mut status, mut headers) = head(connection)?;
    while status == 100 {
        (status, headers) = head(connection)?;
    }
    let mut response = Response { status, headers, body: Vec::new() };
    let chunked = response.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    let length = response.header("content-length").map(str::parse::<u64>).transpose().context("Content-Length")?;
    let mut reusable = !response.header("connection").is_some_and(|option| option.eq_ignore_ascii_case("close"));
    if headless || status == 204 || status == 304 {
    } else if chunked {
        response.body = chunks(connection)?;
    } else if let Some(length) = length {
        connection.take(length).read_to_end(&mut response.body)?;
        if response.body.len() as u64 != length {
            bail!("the body ended after {} of {length} bytes", response.body.len());
        }
    } else {
        connection.read_to_end(&mut response.body)?;
        reusable = false;
    }
    Ok((response, reusable))
}

fn head(connection: &mut impl BufRead) -> anyhow::Result<(u16, Vec<(String, String)>)> {
    let first = line(connection)?;
    let status = first.split(' ').nth(1).and_then(|code| code.parse().ok()).with_context(|| format!("not a status line: {first:?}"))?;
    let mut headers = Vec::new();
    loop {
        let header = line(connection)?;
        if header.is_empty() {
            return Ok((status, headers));
        }
        let (name, value) = header.split_once(':').with_context(|| format!("not a header: {header:?}"))?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

fn chunks(connection: &mut impl BufRead) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(connection)?;
        let size = u64::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16).context("chunk size")?;
        if size == 0 {
            while !line(connection)?.is_empty() {}
            return Ok(body);
        }
        connection.take(size).read_to_end(&mut body)?;
        line(connection)?;
    }
}

fn line(connection: &mut impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    if connection.read_line(&mut line)? == 0 {
        bail!("the connection was closed");
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
