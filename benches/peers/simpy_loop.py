"""The workload in SimPy: a process for each request, a Resource of one for each server.

Prints seconds of CPU (without the start of Python) and the mean response time in seconds.
"""

import random
import sys
import time

import simpy


def request(env, servers, draw, answered):
    arrived = env.now
    if len(servers) == 1:
        server = servers[0]
    else:
        first, second = draw.sample(servers, 2)
        shorter = len(second.queue) + second.count < len(first.queue) + first.count
        server = second if shorter else first
    with server.request() as worker:
        yield worker
        yield env.timeout(draw.expovariate(1.0))
    answered.append(env.now - arrived)


def source(env, servers, draw, requests, answered):
    rate = 0.9 * len(servers)
    for _ in range(requests):
        yield env.timeout(draw.expovariate(rate))
        env.process(request(env, servers, draw, answered))


def main():
    count, requests, seed = (int(argument) for argument in sys.argv[1:])
    start = time.process_time()
    draw, answered = random.Random(seed), []
    env = simpy.Environment()
    servers = [simpy.Resource(env, capacity=1) for _ in range(count)]
    env.process(source(env, servers, draw, requests, answered))
    env.run()
    mean = sum(answered) / len(answered)
    print(time.process_time() - start, mean)


main()
