"""CDK entry point: ``cdk synth -c env=dev`` composes the stacks of config/dev.toml."""

from stacks.main import main

if __name__ == "__main__":
    main()
