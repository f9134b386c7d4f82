"""The gRPC stubs for Python as a plugin of ``buf generate``: ``grpcio-tools`` has them inside its ``protoc`` only.

Reads a ``CodeGeneratorRequest`` from standard input and writes a ``CodeGeneratorResponse``
(https://protobuf.dev/reference/other/#plugins). Needs ``grpcio-tools``, no network.
"""

import sys
import tempfile
from pathlib import Path

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc


def stubs(request: CodeGeneratorRequest) -> CodeGeneratorResponse:
    """``*_pb2_grpc.py`` for each file asked for, or protoc's failure as the response's error."""
    response = CodeGeneratorResponse(supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL)
    with tempfile.TemporaryDirectory() as folder:
        definitions, target = Path(folder) / "definitions", Path(folder) / "stubs"
        definitions.write_bytes(FileDescriptorSet(file=request.proto_file).SerializeToString())
        target.mkdir()
        arguments = [f"--descriptor_set_in={definitions}", f"--grpc_python_out={target}", *request.file_to_generate]
        if protoc.main(["protoc", *arguments]) != 0:
            response.error = "protoc failed; its message above says why"
        for path in sorted(target.rglob("*.py")):
            response.file.add(name=str(path.relative_to(target)), content=path.read_text())
    return response


if __name__ == "__main__":
    sys.stdout.buffer.write(stubs(CodeGeneratorRequest.FromString(sys.stdin.buffer.read())).SerializeToString())
