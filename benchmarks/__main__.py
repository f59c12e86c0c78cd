"""`make bench` and `make bench-quick`; see `benchmarks.run`."""

from generator.executors.inprocess import quieten

if __name__ == "__main__":
    quieten()
    # Systems are processes that import this module, too, and their imports are measured.
    from benchmarks.run import main

    main()
