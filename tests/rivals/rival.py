"""The official Python SDK: `rival.py up|down ENDPOINT FILE PART_BYTES ID SECRET`; prints what it took."""

import resource
import sys
import time

import alibabacloud_oss_v2 as oss


def main() -> None:
    way, endpoint, path, part_size, key_id, secret = sys.argv[1:]
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(key_id, secret)
    config.region, config.endpoint, config.use_path_style = "cn-hangzhou", endpoint, True
    client = oss.Client(config)
    name = {"bucket": "bucket", "key": "object"}
    options = {"part_size": int(part_size), "parallel_num": 4}
    wall, cpu = time.monotonic(), time.process_time()
    if way == "up":
        client.uploader(**options).upload_file(oss.PutObjectRequest(**name), path)
    else:
        client.downloader(**options).download_file(oss.GetObjectRequest(**name), path)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("taken", time.monotonic() - wall, time.process_time() - cpu, memory)


main()
