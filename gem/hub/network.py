"""Whether a host can be asked: known in seconds, where the hub itself tries for minutes."""

REACH_SECONDS = 4.0


def reach(host: str) -> None:
    """Raise ConnectionError if a host does not answer in time, or must not be asked."""
    import httpx
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise ConnectionError("HF_HUB_OFFLINE is set")
    try:
        httpx.head(host, timeout=REACH_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConnectionError(str(error)) from error
