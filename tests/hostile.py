"""A hundred texts that try to become markup, script, links, terminal commands or diagram syntax."""

from __future__ import annotations

import pytest

#: What a payload runs if a sink lets it: a page that was taken over says so.
PROOF = "window.owned=(window.owned||0)+1"

_ELEMENTS = [
    f"<script>{PROOF}</script>",
    f"<SCRIPT>{PROOF}</SCRIPT>",
    f"</script><script>{PROOF}</script>",
    f"</style><script>{PROOF}</script>",
    f"</title><script>{PROOF}</script>",
    f"</textarea><script>{PROOF}</script>",
    f"</pre><script>{PROOF}</script>",
    f"--><script>{PROOF}</script>",
    f"]]><script>{PROOF}</script>",
    f"<!--<script>{PROOF}</script>-->",
    f"<<script>{PROOF}//<</script>",
    f"<scr<script>ipt>{PROOF}</scr</script>ipt>",
    f"<script/x>{PROOF}</script>",
    f"<script\x0c>{PROOF}</script>",
    f"<script\x00>{PROOF}</script>",
    f"<script src='data:text/javascript,{PROOF}'></script>",
    f"<script type=module>{PROOF}</script>",
    f"<img src=x onerror={PROOF}>",
    f"<img src=x onerror='{PROOF}'>",
    f'<img src="x" onerror="{PROOF}">',
    f"<img/src=x/onerror={PROOF}>",
    f"<img src=x\nonerror={PROOF}>",
    f"<img src=x\tonerror={PROOF}>",
    f"<IMG SRC=x ONERROR={PROOF}>",
    f"<image src=x onerror={PROOF}>",
    f"<svg onload={PROOF}>",
    f"<svg/onload={PROOF}>",
    f"<svg><script>{PROOF}</script></svg>",
    f"<svg><animate onbegin={PROOF} attributeName=x dur=1s>",
    f"<svg><set onbegin={PROOF} attributename=x>",
    f"<svg><foreignObject><img src=x onerror={PROOF}></foreignObject></svg>",
    f"<math><mtext><img src=x onerror={PROOF}></mtext></math>",
    f"<body onload={PROOF}>",
    f"<iframe srcdoc='<script>parent.{PROOF}</script>'></iframe>",
    f"<iframe src='javascript:parent.{PROOF}'></iframe>",
    f"<object data='javascript:{PROOF}'></object>",
    f"<embed src='javascript:{PROOF}'>",
    f"<video><source onerror={PROOF}></video>",
    f"<video src=x onerror={PROOF}></video>",
    f"<audio src=x onerror={PROOF}></audio>",
    f"<details open ontoggle={PROOF}>x</details>",
    f"<input autofocus onfocus={PROOF}>",
    f"<select autofocus onfocus={PROOF}></select>",
    f"<textarea autofocus onfocus={PROOF}></textarea>",
    f"<button autofocus onfocus={PROOF}>x</button>",
    f"<marquee onstart={PROOF}>x</marquee>",
    f"<style onload={PROOF}></style>",
    f"<style>@import 'data:text/css,x'</style><img src=x onerror={PROOF}>",
    f"<link rel=stylesheet href=x onerror={PROOF}>",
    f"<base href='javascript:{PROOF}//'>",
    f"<meta http-equiv=refresh content='0;url=javascript:{PROOF}'>",
    f"<form action='javascript:{PROOF}'><button>x</button></form>",
    f"<a href='javascript:{PROOF}' autofocus onfocus={PROOF}>x</a>",
    f"<xss autofocus tabindex=1 onfocus={PROOF}>x</xss>",
    f"<div style='animation-name:x' onanimationstart={PROOF}>x</div>",
    f"<p onpointerover={PROOF}>x</p>",
    f"<template><script>{PROOF}</script></template>",
    f"<noscript><p title='</noscript><img src=x onerror={PROOF}>'>",
    f"<table><td background='javascript:{PROOF}'>",
    f"<plaintext><img src=x onerror={PROOF}>",
]

_ATTRIBUTES = [
    f"' onmouseover='{PROOF}",
    f'" onmouseover="{PROOF}',
    f'"><script>{PROOF}</script>',
    f"'><script>{PROOF}</script>",
    f'"><img src=x onerror={PROOF}>',
    f"'><img src=x onerror={PROOF}>",
    f'" autofocus onfocus="{PROOF}" x="',
    f"` onerror=`{PROOF}",
    f'" style="background:url(javascript:{PROOF})',
    f'x" onload="{PROOF}',
    f"&quot; onload=&quot;{PROOF}",
    f"&lt;script&gt;{PROOF}&lt;/script&gt;",
    f"&#60;script&#62;{PROOF}&#60;/script&#62;",
    "\\u003cscript\\u003e" + PROOF + "\\u003c/script\\u003e",
    f"\\x3cscript\\x3e{PROOF}\\x3c/script\\x3e",
]

_ADDRESSES = [
    f"javascript:{PROOF}",
    f"JaVaScRiPt:{PROOF}",
    f" javascript:{PROOF}",
    f"java\nscript:{PROOF}",
    f"java\tscript:{PROOF}",
    f"\x01javascript:{PROOF}",
    f"javascript://https://example.org/%0a{PROOF}",
    f"data:text/html,<script>{PROOF}</script>",
    f"vbscript:{PROOF}",
    f"blob:javascript:{PROOF}",
    f'https://example.org/"onmouseover="{PROOF}',
    "https://[::1",
]

_SYNTAX = [
    "\x1b[2J\x1b]0;owned\x07",
    "\x1b]8;;javascript:1\x07click\x1b]8;;\x07",
    "\r\noverwritten",
    "\u202egnp.exe",
    "\u2066hidden\u2069",
    "\ud800",
    "\x00",
    "$\\undefinedcommand{x}$",
    "{{constructor.constructor('" + PROOF + "')()}}",
    "${" + PROOF + "}",
    "%%{init: {'securityLevel': 'loose'}}%%",
    f"end\n    click A call {PROOF}",
    f"A->>B: <img src=x onerror={PROOF}>; link A: x @ javascript:{PROOF}",
]

PAYLOADS = [*_ELEMENTS, *_ATTRIBUTES, *_ADDRESSES, *_SYNTAX]
assert len(PAYLOADS) == len(set(PAYLOADS)) >= 100

#: Runs a test once for each of them.
each_payload = pytest.mark.parametrize("payload", PAYLOADS, ids=[f"payload{n}" for n in range(len(PAYLOADS))])
