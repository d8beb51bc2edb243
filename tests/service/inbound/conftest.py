"""A deployment whose hooks are open."""

import pytest

from service.config import Config
from tests.service.inbound.outside import hooks_file


@pytest.fixture
def config(config: Config, tmp_path) -> Config:
    """With secrets for every hook."""
    return config.model_copy(update={"hooks": hooks_file(tmp_path)})
