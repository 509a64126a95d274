# A foreign FHIR client (PyPI fhirclient, models of R4) reads, searches, creates and deletes.
# In: base address, host, access token, insurance number. Out: one line of JSON with what it saw.
import json, sys
from fhirclient import client
from fhirclient.models.bundle import Bundle
from fhirclient.models.capabilitystatement import CapabilityStatement
from fhirclient.models.documentreference import DocumentReference
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRNotFoundException

base, host, token, number = sys.argv[1:]
smart = client.FHIRClient(settings={"app_id": "tests", "api_base": base})
server = smart.server
server.session.headers.update({"Host": host, "Authorization": "Bearer " + token})
told = {"fhir": CapabilityStatement.read_from("metadata", server).fhirVersion}
told["name"] = smart.human_name(Patient.read(number, server).name[0])
found = DocumentReference.where({"patient": number, "_count": "2"}).perform(server)
told["total"], told["first"] = found.total, len(found.entry)
told["all"] = len(DocumentReference.where({"patient": number}).perform_resources(server))
draft = DocumentReference(found.entry[0].resource.as_json())
draft.id, draft.meta, draft.description = None, None, "from a foreign client"
made = DocumentReference(draft.create(server))
told["made"] = DocumentReference.read(made.id, server).description
made.description = "changed"
try:
    made.update(server)
except Exception as error:
    told["unconditional"] = error.response.status_code
told["deleted"] = made.delete(server) is None
try:
    DocumentReference.read("nobody", server)
except FHIRNotFoundException as error:
    told["unknown"] = error.response.json()["resourceType"]
print(json.dumps(told))
