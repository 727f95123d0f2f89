"""Judges the whole session; collected last."""


def test_no_secret_in_logs_or_databases(session_world):
    """No password, token or array token in any log, service database or output of the command line, over all tests before this one."""
    session_world.begin("moved")
    for view in (session_world.a, session_world.b):
        for arguments in (("site", "show", "site-a"), ("site", "validate", "site-b"), ("protection-group", "show", "prod-web-app")):
            view.cli.try_run(*arguments)
            view.cli.try_run(*arguments, "-f", "json")
    session_world.look_for_secrets()
    assert session_world.leaks == []
