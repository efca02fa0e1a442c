"""Prescriptions and dispensing results of invented people, and the JSON bodies that carry them."""

import base64
from itertools import count

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
PRESCRIPTION_ID = "7c0e4f5a-91d2-4b3e-8f60-2a5d1c9b7e34"
OTHER_ID = "0b8a6d21-5c4f-4e7a-9d13-6f2e8c7a4b50"
_numbers = count(1)


def b64(content):
    return base64.b64encode(content).decode()


def prescription_csv(patient="若松　千尋", number=None):
    """Records of a prescription; each has its own drug amount, so no two are alike unless `number` says so."""
    number = next(_numbers) if number is None else number
    lines = [
        "SJ1",
        "1,1,1399901,13,みなとまち内科クリニック",
        "2,105-9999,東京都港区海辺一丁目二番三号",
        "3,03-0000-0101,03-0000-0102,",
        "4,2,01,内科",
        "5,000000000000000,ｳﾐﾉ ﾊﾙｶ,海野　はるか",
        f"11,000000000000204,{patient},ﾜｶﾏﾂ ﾁﾋﾛ",
        "12,2",
        "13,19570314",
        "14,1",
        "21,1",
        "22,06139999",
        "51,20261121",
        "52,20261124",
        "62,1",
        "101,1,1,,28",
        "111,1,3,1011000400000000,１日１回朝食後　服用,1",
        f"201,1,1,1,2,620099001,アムロジピンＯＤ錠５ｍｇ,{number},1,錠",
    ]
    return ("\n".join(lines) + "\n").encode()


def dispensing_csv(prescription_id=PRESCRIPTION_ID, patient="若松　千尋", number=None):
    number = next(_numbers) if number is None else number
    lines = [
        "CJ1,",
        f"1,{patient},2,19570314,,,,,,,ﾜｶﾏﾂ ﾁﾋﾛ",
        "5,20261121,",
        f"7,{prescription_id},",
        "11,みなとまち薬局,13,4,1349902,105-9999,東京都港区海辺一丁目四番五号,03-0000-0201,",
        "15,灯台　守,,",
        "51,みなとまち内科クリニック,13,1,1399901,",
        "55,海野　はるか,内科,",
        f"201,1,アムロジピンＯＤ錠５ｍｇ,{number},錠,2,620099001,",
        "301,1,１日１回朝食後　服用,28,日分,1,3,1011000400000000,",
    ]
    return ("\n".join(lines) + "\n").encode()


def unsigned_prescription(csv=None, inner="", attributes="", namespaces=XSI, signed_attributes=""):
    """The unsigned prescription XML in the form of the field, with room for what a test puts wrong."""
    content = b64(prescription_csv() if csv is None else csv)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document {namespaces} id="Document" '
        f'xsi:noNamespaceSchemaLocation="EP.xsd"{attributes}><Prescription><PrescriptionManagement '
        'id="PrescriptionManagement"><Version Value="EPS1.0"/></PrescriptionManagement><PrescriptionDocument '
        f'id="PrescriptionDocument"{signed_attributes}>{content}</PrescriptionDocument>{inner}</Prescription>'
        "</Document>"
    ).encode()


def registered(document, prescription_id=PRESCRIPTION_ID):
    """What the e-prescription service makes of a signed prescription: its number stands beside what was signed."""
    version = b'<Version Value="EPS1.0"/>'
    assert document.count(version) == 1
    return document.replace(version, version + f'<PrescriptionId Value="{prescription_id}"/>'.encode())


def prescribing(csv=None, **more):
    return {"csv": b64(prescription_csv() if csv is None else csv), **more}


def dispensing(prescription, csv=None, **more):
    return {"prescription": b64(prescription), "csv": b64(dispensing_csv() if csv is None else csv), **more}


def document_of(answer):
    """The signed XML of an answer."""
    assert answer.status_code == 200, answer.text
    return base64.b64decode(answer.json()["document"], validate=True)
