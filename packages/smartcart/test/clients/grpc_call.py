"""One gRPC call by grpcio: grpc_call.py HOST:PORT CONTRACT SERVICE/METHOD JSON

Prints the answer as JSON, or the status of the failed call.
"""

import json
import sys

import grpc
from google.protobuf import json_format

import contract

target, contract_file, method, request = sys.argv[1:]
pool = contract.load(contract_file)
service_name, method_name = method.split("/")
descriptor = pool.FindServiceByName(service_name).methods_by_name[method_name]
request_class = contract.class_of(pool, descriptor.input_type)
answer_class = contract.class_of(pool, descriptor.output_type)

with grpc.insecure_channel(target) as channel:
    call = channel.unary_unary(
        f"/{method}",
        request_serializer=request_class.SerializeToString,
        response_deserializer=answer_class.FromString,
    )
    try:
        answer = call(json_format.Parse(request, request_class()), timeout=10)
        print(json_format.MessageToJson(answer))
    except grpc.RpcError as error:
        print(json.dumps({"status": error.code().name, "details": error.details()}))
