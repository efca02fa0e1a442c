"""The alert rules: on what is really served, each with a runbook that exists, each seen silent and firing."""

import re
import subprocess

import pytest
import requests
import yaml

import contract
import documents

RUNBOOKS = contract.ROOT / "docs" / "runbooks"
RULES = RUNBOOKS / "alerts.yaml"
UNIT_TESTS = contract.ROOT / "Tests" / "EndToEnd" / "alerts_test.yaml"
# What Prometheus makes itself of every target.
OF_PROMETHEUS = {"up"}
# Served where witnesses are configured: test_witness.py asks for them.
OF_WITNESSES = "shirushi_witness_"


def rules():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def promtool(*arguments):
    run = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
    return run.returncode, run.stdout + run.stderr


def anchors(page):
    """The anchors of a page's headings, as Markdown viewers make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.fixture(scope="module")
def served(shared):
    """The samples of a live instance that has signed once and refused a stranger: name to list of labels."""
    if shared.process is None or shared.process.poll() is not None:
        shared.kill()
        shared.start()
    assert shared.prescribe(documents.prescribing()).status_code == 200
    assert shared.post("/v1/prescriptions", documents.prescribing()).status_code == 401
    # Front knows of core's counters what it heard at most half a second ago.
    for _ in range(100):
        text = requests.get(f"http://127.0.0.1:{shared.metrics_port}/metrics", timeout=10).text
        if 'shirushi_core_requests_total{result="signed"}' in text:
            break
    else:
        raise AssertionError(text)
    samples = {}
    for name, labels in re.findall(r"^(\w+)(?:\{([^}]*)\})? ", text, re.M):
        samples.setdefault(name, []).append(dict(re.findall(r'(\w+)="([^"]*)"', labels)))
    return samples


def selectors(expression):
    """Every metric that an expression names, with the text of its label matchers."""
    return re.findall(r"\b(up|shirushi_\w+)(?:\{([^}]*)\})?", expression)


def test_every_metric_and_label_of_a_rule_is_served(served):
    named = set()
    for rule in rules():
        for metric, matchers in selectors(rule["expr"]):
            named.add(metric)
            if metric in OF_PROMETHEUS or metric.startswith(OF_WITNESSES):
                continue
            assert metric in served, f"{rule['alert']}: {metric} is not served"
            for label, _, value in re.findall(r'(\w+)(=~|=)"([^"]*)"', matchers):
                values = {labels[label] for labels in served[metric] if label in labels}
                assert values, f"{rule['alert']}: {metric} has no label {label}"
                if label == "part":
                    assert value in values, f"{rule['alert']}: no part {value}"
    assert len(named) > 8, "the rules were not read"


def test_every_result_and_reason_is_a_failure_of_the_product():
    """Counters begin with their first event, so the words in rules are compared with the names of all failures."""
    words = {re.sub(r"-(\w)", lambda found: found[1].upper(), kind) for kind in contract.STATUS} | {"signed"}
    seen = 0
    for rule in rules():
        for _, matchers in selectors(rule["expr"]):
            for label, _, value in re.findall(r'(\w+)(=~|=)"([^"]*)"', matchers):
                if label == "result" and value not in ("hit", "miss"):
                    assert value in words, f"{rule['alert']}: no failure is called {value}"
                    seen += 1
                if label == "reason":
                    assert set(value.split("|")) <= set(contract.STATUS), f"{rule['alert']}: {value}"
                    seen += 1
    assert seen > 8


def test_every_rule_says_what_it_is_and_leads_to_a_runbook_that_exists():
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning", "info"), rule["alert"]
        assert rule["annotations"].keys() == {"summary", "description", "runbook"}, rule["alert"]
        place, _, anchor = rule["annotations"]["runbook"].partition("#")
        page = contract.ROOT / place
        assert page.is_file() and page.parent == RUNBOOKS, rule["alert"]
        assert not anchor or anchor in anchors(page), f"{rule['alert']}: {place} has no heading {anchor}"
        assert f"`{rule['alert']}`" in page.read_text(), f"{place} does not name {rule['alert']}"


def test_every_alert_is_tested_silent_and_firing():
    tested = {}
    for test in yaml.safe_load(UNIT_TESTS.read_text())["tests"]:
        kinds = tested.setdefault(test["name"], set())
        for case in test["promql_expr_test"]:
            names = re.findall(r'alertname="(\w+)"', str(case["exp_samples"]))
            assert names in ([], [test["name"]]), test["name"]
            kinds.add(bool(names))
    assert tested == {rule["alert"]: {True, False} for rule in rules()}


def test_prometheus_accepts_the_rules():
    code, said = promtool("check", "rules", RULES)
    assert code == 0 and f"{len(rules())} rules found" in said, said


def test_each_alert_fires_when_it_should_and_only_then():
    code, said = promtool("test", "rules", UNIT_TESTS)
    assert code == 0, said


def test_a_rule_that_never_fires_would_be_noticed(tmp_path):
    (tmp_path / "alerts.yaml").write_text(RULES.read_text().replace("shirushi_alarms > 0", "shirushi_alarms > 9"))
    copy = tmp_path / "alerts_test.yaml"
    tests = yaml.safe_load(UNIT_TESTS.read_text())
    tests["tests"] = [test for test in tests["tests"] if test["name"] == "ShirushiAlarm"]
    copy.write_text(yaml.safe_dump({**tests, "rule_files": ["alerts.yaml"]}))
    code, said = promtool("test", "rules", copy)
    assert code != 0 and "ShirushiAlarm" in said, said
