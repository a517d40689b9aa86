"""Card readers: what is wired, watched for, and read.

`sources` says where a reader hangs, `serial_port` and `keyboard` read one, `assembly` cuts what
they write into numbers, `watch` keeps on reading and finds a lost one again.
"""
