from autonomy.sessions import variables

NODE = {
    "DATABASE_URL": "postgresql://owner:x@127.0.0.1/a",
    "SECRET_KEY": "x",
    "TZ": "UTC",
    "SSL_CERT_FILE": "/etc/ssl/own.pem",
    "UV_DEFAULT_INDEX": "https://mirror.example/simple",
    "PIP_INDEX_URL": "https://me:secret@mirror.example/simple",
}


def test_a_session_with_a_network_learns_its_ways_and_no_password() -> None:
    zygote = variables.for_zygote(NODE)

    assert variables.for_session(zygote, network=True) == {
        "SSL_CERT_FILE": "/etc/ssl/own.pem",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
    }


def test_a_session_without_a_network_learns_nothing() -> None:
    assert variables.for_session(variables.for_zygote(NODE), network=False) == {}
    assert set(variables.for_zygote(NODE)) == {"TZ", "SSL_CERT_FILE", "UV_DEFAULT_INDEX"}
