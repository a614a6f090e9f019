import click
@click.command("corrupt")
def command() -> None:
    """."""
