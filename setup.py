"""What pyproject.toml cannot say: a wheel holds the compiled build of its sources, and is for one platform then."""

import sys
from pathlib import Path
from typing import Any

from setuptools import Distribution, setup

sys.path.insert(0, str(Path(__file__).parent / "node"))

from alatau.build_form import FORM, Form, folder_name


class _Distribution(Distribution):
    def parse_config_files(self, *arguments: Any, **options: Any) -> None:
        super().parse_config_files(*arguments, **options)
        if FORM is Form.COMPILED:
            self.package_data["alatau"].append(f"native/{folder_name()}/*")

    def has_ext_modules(self) -> bool:
        return FORM is Form.COMPILED


setup(distclass=_Distribution)
