"""The contract's message classes in Python, from what `buf build` writes; no generated code."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


def load(path):
    """The pool of all descriptors in the file."""
    with open(path, "rb") as file:
        files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
    pool = descriptor_pool.DescriptorPool()
    for proto in files.file:
        pool.Add(proto)
    return pool


def class_of(pool, descriptor):
    """The class of a message, by the function that this version of protobuf has for it."""
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)
