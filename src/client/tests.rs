//! The client against a server that speaks literal bytes: what is sent, what is understood, what is said of failures.

use std::future::Future;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::resp::{Protocol, Value};

/// A listening socket and the address that leads to it.
async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    (listener, address)
}

async fn accept(listener: &TcpListener) -> TcpStream {
    listener.accept().await.expect("a connection").0
}

/// Reads exactly `request`, then answers.
async fn answer(stream: &mut TcpStream, request: &str, reply: &str) {
    let mut read = vec![0; request.len()];
    stream.read_exact(&mut read).await.expect("the request");
    assert_eq!(String::from_utf8_lossy(&read), request);
    stream.write_all(reply.as_bytes()).await.expect("the client reads");
}

/// Runs a server and a client side by side until both are done.
async fn both<T>(server: impl Future<Output = ()>, client: impl Future<Output = T>) -> T {
    let together = async { tokio::join!(server, client).1 };
    tokio::time::timeout(Duration::from_secs(20), together).await.expect("no hang")
}

/// A client of a server that answers these exchanges on one connection, then waits for it to close.
async fn scripted<T, F: Future<Output = T>>(script: &[(&str, &str)], client: impl FnOnce(Client) -> F) -> T {
    let (listener, address) = listen().await;
    let server = async {
        let mut stream = accept(&listener).await;
        for (request, reply) in script {
            answer(&mut stream, request, reply).await;
        }
        assert_eq!(stream.read(&mut [0]).await.expect("a clean close"), 0);
    };
    both(server, async { client(Client::connect(&address).await.expect("connected")).await }).await
}

#[tokio::test]
async fn typed_commands_send_and_read_what_redis_speaks() {
    let script = [
        ("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n", "+OK\r\n"),
        ("*2\r\n$3\r\nGET\r\n$1\r\na\r\n", "$1\r\n1\r\n"),
        ("*2\r\n$3\r\nGET\r\n$1\r\nb\r\n", "$-1\r\n"),
        ("*3\r\n$3\r\nDEL\r\n$1\r\na\r\n$1\r\nb\r\n", ":1\r\n"),
        ("*2\r\n$6\r\nEXISTS\r\n$1\r\na\r\n", ":0\r\n"),
        ("*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n", ":7\r\n"),
        ("*2\r\n$4\r\nDECR\r\n$1\r\nn\r\n", ":6\r\n"),
        ("*3\r\n$6\r\nEXPIRE\r\n$1\r\nn\r\n$2\r\n10\r\n", ":1\r\n"),
        ("*3\r\n$7\r\nPEXPIRE\r\n$1\r\nn\r\n$4\r\n1500\r\n", ":0\r\n"),
        ("*2\r\n$4\r\nPTTL\r\n$1\r\nn\r\n", ":1499\r\n"),
        ("*1\r\n$4\r\nPING\r\n", "+PONG\r\n"),
        ("*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n", "$25\r\n# Server\r\ntcp_port:7000\r\n\r\n"),
    ];
    scripted(&script, |client| async move {
        client.set("a", "1").await.expect("OK");
        assert_eq!(client.get::<i64>("a").await.expect("1"), Some(1));
        assert_eq!(client.get::<String>("b").await.expect("nil"), None);
        assert_eq!(client.del(&["a", "b"]).await.expect("1"), 1);
        assert_eq!(client.exists(&["a"]).await.expect("0"), 0);
        assert_eq!(client.incr("n").await.expect("7"), 7);
        assert_eq!(client.decr("n").await.expect("6"), 6);
        assert!(client.expire("n", Duration::from_secs(10)).await.expect("1"));
        assert!(!client.expire("n", Duration::from_millis(1500)).await.expect("0"));
        assert_eq!(client.ttl("n").await.expect("1499"), Ttl::Left(Duration::from_millis(1499)));
        client.ping().await.expect("PONG");
        assert_eq!(client.info(&["server"]).await.expect("text").get("tcp_port"), Some("7000"));
    })
    .await;
}

#[tokio::test]
async fn set_options_become_arguments_and_a_failed_condition_is_false() {
    let script = [
        ("*6\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n$2\r\nNX\r\n$2\r\nEX\r\n$2\r\n60\r\n", "$-1\r\n"),
        ("*6\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n$4\r\nIFEQ\r\n$1\r\n0\r\n$7\r\nKEEPTTL\r\n", "+OK\r\n"),
    ];
    scripted(&script, |client| async move {
        let options = SetOptions::new().only_if_absent().expire_in(Duration::from_secs(60));
        assert!(!client.set_with("a", "1", options).await.expect("nil"));
        let options = SetOptions::new().only_if_equal("0").keep_expiry();
        assert!(client.set_with("a", "1", options).await.expect("OK"));
    })
    .await;
}

#[tokio::test]
async fn a_pipeline_is_one_write_and_an_error_concerns_its_own_reply_only() {
    let script = [(
        "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nx\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n",
        "+OK\r\n-ERR value is not an integer or out of range\r\n$1\r\nx\r\n",
    )];
    scripted(&script, |client| async move {
        let mut replies =
            client.run(Pipeline::new().set("a", "x").incr("a").get("a")).await.expect("three replies");
        assert_eq!(replies.len(), 3);
        replies.next::<()>().expect("OK");
        let error = replies.next::<i64>().expect_err("not an integer");
        assert_eq!(error.code(), Some("ERR"));
        assert_eq!(replies.next::<String>().expect("x"), "x");
        assert!(matches!(replies.next::<Value>(), Err(Error::NoSuchReply { index: 3 })));
        assert!(client.run(Pipeline::new()).await.expect("nothing to do").is_empty());
    })
    .await;
}

#[tokio::test]
async fn clones_share_a_connection_and_get_their_own_replies() {
    let (listener, address) = listen().await;
    let server = async {
        let mut stream = accept(&listener).await;
        let mut read = vec![0; 100 * "*2\r\n$4\r\nECHO\r\n$2\r\n00\r\n".len()];
        stream.read_exact(&mut read).await.expect("all requests before any reply");
        for request in read.chunks(22) {
            let reply = [b"$2\r\n", &request[18..20], b"\r\n"].concat();
            stream.write_all(&reply).await.expect("the client reads");
        }
    };
    let client = async {
        let client = Client::connect(&address).await.expect("connected");
        let calls: Vec<_> = (0..100)
            .map(|number| {
                let client = client.clone();
                tokio::spawn(async move {
                    let text = format!("{number:02}");
                    let echoed: String =
                        client.query(&Command::new("ECHO").arg(&text)).await.expect("an echo");
                    assert_eq!(echoed, text);
                })
            })
            .collect();
        for call in calls {
            call.await.expect("no panic");
        }
    };
    both(server, client).await;
}

#[tokio::test]
async fn a_connection_greets_with_protocol_password_and_database() {
    let (listener, address) = listen().await;
    let server = async {
        let mut stream = accept(&listener).await;
        let hello = "*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$6\r\nsecret\r\n";
        answer(&mut stream, hello, "%1\r\n+proto\r\n:3\r\n").await;
        answer(&mut stream, "*2\r\n$6\r\nSELECT\r\n$1\r\n2\r\n", "+OK\r\n").await;
        // A push message that comes first is nobody's reply.
        answer(&mut stream, "*1\r\n$4\r\nPING\r\n", ">2\r\n+invalidate\r\n_\r\n+PONG\r\n").await;
        let mut stream = accept(&listener).await;
        answer(&mut stream, "*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$6\r\nsecret\r\n", "-WRONGPASS no\r\n").await;
    };
    let client = async {
        let builder = Client::builder(&address).expect("an address").username("me").password("secret").db(2);
        let client = builder.clone().protocol(Protocol::Resp3).connect().await.expect("connected");
        client.ping().await.expect("PONG");
        let error = builder.connect().await.expect_err("refused");
        assert_eq!(error.code(), Some("WRONGPASS"));
        assert_eq!(error.to_string(), "WRONGPASS no");
    };
    both(server, client).await;
}

#[tokio::test]
async fn a_unix_socket_is_an_address_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("server.sock");
    let listener = tokio::net::UnixListener::bind(&path).expect("bound");
    let server = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut read = [0; 14];
        stream.read_exact(&mut read).await.expect("PING");
        stream.write_all(b"+PONG\r\n").await.expect("the client reads");
    };
    let client = async {
        let client = Client::connect(path.to_str().expect("UTF-8")).await.expect("connected");
        client.ping().await.expect("PONG");
    };
    both(server, client).await;
}

#[tokio::test]
async fn a_command_whose_connection_breaks_is_reported_not_repeated_and_the_next_call_reconnects() {
    let (listener, address) = listen().await;
    let incr = "*2\r\n$4\r\nINCR\r\n$1\r\na\r\n";
    let server = async {
        let mut stream = accept(&listener).await;
        answer(&mut stream, incr, "").await;
        drop(stream);
        let mut stream = accept(&listener).await;
        answer(&mut stream, "*1\r\n$4\r\nPING\r\n", "+PONG\r\n").await;
        // Nothing but the PING came over the new connection.
        assert_eq!(stream.read(&mut [0]).await.expect("a clean close"), 0);
    };
    let client = async {
        let client = Client::connect(&address).await.expect("connected");
        let error = client.incr("a").await.expect_err("no reply");
        assert!(matches!(error, Error::ConnectionLost { executed: Executed::Maybe, .. }), "{error}");
        assert!(error.may_have_executed());
        client.ping().await.expect("a new connection");
    };
    both(server, client).await;
}

#[tokio::test]
async fn a_server_that_is_gone_is_tried_a_bounded_number_of_times() {
    let (listener, address) = listen().await;
    let reconnect = Reconnect {
        attempts_max: 3,
        pause_first: Duration::from_millis(5),
        pause_max: Duration::from_millis(8),
    };
    let builder = Client::builder(&address).expect("an address").reconnect(reconnect);
    let client = builder.connect().await.expect("connected");
    drop(accept(&listener).await);
    drop(listener);
    for _ in 0..2 {
        let error = client.ping().await.expect_err("nobody listens");
        assert!(matches!(error, Error::Connect { .. } | Error::ConnectionLost { .. }), "{error}");
    }
    let error = client.ping().await.expect_err("nobody listens");
    assert!(matches!(error, Error::Connect { .. }), "{error}");
    assert!(!error.may_have_executed());
}

#[tokio::test]
async fn connecting_where_nobody_listens_says_where() {
    let (listener, address) = listen().await;
    drop(listener);
    let error = Client::connect(&address).await.expect_err("nobody listens");
    assert!(error.to_string().starts_with(&format!("cannot connect to {address}: ")), "{error}");
}

#[tokio::test]
async fn a_late_reply_is_a_timeout_for_its_caller_and_does_not_shift_the_others() {
    let (listener, address) = listen().await;
    let get = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
    let server = async {
        let mut stream = accept(&listener).await;
        answer(&mut stream, get, "").await;
        tokio::time::sleep(Duration::from_millis(150)).await;
        // The connection shows life, if not yet the reply.
        stream.write_all(b"$4\r\n").await.expect("the client reads");
        tokio::time::sleep(Duration::from_millis(100)).await;
        stream.write_all(b"late\r\n").await.expect("the client reads");
        answer(&mut stream, get, "$5\r\nright\r\n").await;
    };
    let client = async {
        let builder = Client::builder(&address).expect("an address");
        let client =
            builder.request_timeout(Some(Duration::from_millis(200))).connect().await.expect("connected");
        let error = client.get::<String>("a").await.expect_err("too late");
        assert!(matches!(error, Error::Timeout { executed: Executed::Maybe, .. }), "{error}");
        assert_eq!(client.get::<String>("a").await.expect("a value").as_deref(), Some("right"));
    };
    both(server, client).await;
}

#[tokio::test]
async fn a_silent_connection_is_given_up_and_made_anew() {
    let (listener, address) = listen().await;
    let server = async {
        let _silent = accept(&listener).await;
        let mut stream = accept(&listener).await;
        answer(&mut stream, "*1\r\n$4\r\nPING\r\n", "+PONG\r\n").await;
    };
    let client = async {
        let builder = Client::builder(&address).expect("an address");
        let client =
            builder.request_timeout(Some(Duration::from_millis(100))).connect().await.expect("connected");
        assert!(client.ping().await.expect_err("silence").may_have_executed());
        tokio::time::sleep(Duration::from_millis(50)).await;
        client.ping().await.expect("a new connection");
    };
    both(server, client).await;
}

#[tokio::test]
async fn bytes_that_are_no_reply_close_the_connection() {
    let (listener, address) = listen().await;
    let server = async {
        let mut stream = accept(&listener).await;
        answer(&mut stream, "*1\r\n$4\r\nPING\r\n", "HTTP/1.1 400 Bad Request\r\n").await;
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
    };
    let client = async {
        let client = Client::connect(&address).await.expect("connected");
        let error = client.ping().await.expect_err("no reply");
        assert!(matches!(error, Error::Protocol { .. }), "{error}");
    };
    both(server, client).await;
}

#[tokio::test]
async fn commands_of_one_connection_are_refused_where_it_is_shared() {
    scripted(&[], |client| async move {
        for args in [
            &["select", "1"][..],
            &["SUBSCRIBE", "a"],
            &["MULTI"],
            &["CLIENT", "reply", "off"],
            &["WATCH", "a"],
        ] {
            let error = client.command(args).await.expect_err("refused");
            assert!(matches!(error, Error::NeedsConnection { .. }), "{error}");
        }
        let pipeline = Pipeline::new().command(&["MULTI"]).command(&["SELECT", "1"]).command(&["EXEC"]);
        let error = client.run(pipeline).await.expect_err("refused");
        assert!(matches!(error, Error::NeedsConnection { command } if command == "SELECT"));
        assert!(matches!(client.command::<&str>(&[]).await, Err(Error::EmptyCommand)));
    })
    .await;
}

#[tokio::test]
async fn a_bare_connection_is_of_no_use_after_a_timeout() {
    let (listener, address) = listen().await;
    let server = async {
        let mut stream = accept(&listener).await;
        answer(&mut stream, "*1\r\n$4\r\nPING\r\n", "-ERR no\r\n").await;
        assert_eq!(stream.read(&mut [0; 64]).await.expect("a second request"), 14);
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let client = async {
        let builder = Client::builder(&address).expect("an address");
        let builder = builder.request_timeout(Some(Duration::from_millis(100)));
        let mut connection = builder.open_connection().await.expect("connected");
        assert_eq!(connection.command(&["PING"]).await.expect("a reply"), Value::Error("ERR no".into()));
        assert!(matches!(connection.command(&["PING"]).await, Err(Error::Timeout { .. })));
        assert!(matches!(connection.command(&["PING"]).await, Err(Error::Closed)));
    };
    both(server, client).await;
}
