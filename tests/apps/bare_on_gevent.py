"""The application of bare.py, served by gevent, without the standard library being patched.

python -m tests.apps.bare_on_gevent        (needs gevent)
"""

from gevent import pywsgi

from tests.apps.bare import app

if __name__ == "__main__":
    pywsgi.WSGIServer(("127.0.0.1", 0), app, log=None).serve_forever()
