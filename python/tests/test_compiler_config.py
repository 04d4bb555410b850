"""Config: presets and aliases, attributes, constructor, files."""

import pytest
import vollo_compiler
from vollo_compiler import Config

# Preset, deprecated alias, cores, block size, MHz, weight blocks per core.
PRESETS = [
    ("bittware_ia420f_c6b32", "ia_420f_c6b32", 6, 32, 320, 512),
    ("bittware_ia840f_c3b64", "ia_840f_c3b64", 3, 64, 320, 512),
    ("bittware_ia840f_c2b64d", "ia_840f_c2b64d", 2, 64, 320, 1024),
    ("napatech_nt400d11_c6b32", "nt400d11_c6b32", 6, 32, 320, 512),
    ("amd_v80_c6b32", "v80_c6b32", 6, 32, 300, 4096),
    ("amd_v80ll_c6b32", "v80ll_c6b32", 6, 32, 330, 4096),
    ("silicom_artena_c8b32", "artena_c8b32", 8, 32, 300, 4096),
    ("silicom_artena_c8b32lstm", "artena_c8b32lstm", 8, 32, 300, 4096),
]
ATTRIBUTES = [
    "num_cores", "block_size", "tensor_ram_depth", "tensor_descriptor_count", "weight_store_depth", "accum_store_depth",
    "cell_state_depth", "clamp_store_depth", "max_read_size", "io_size",
]  # fmt: skip


@pytest.mark.parametrize("preset, alias, cores, block, clock, depth", PRESETS)
def test_presets_and_aliases(preset, alias, cores, block, clock, depth):
    config = getattr(Config, preset)()
    assert config == getattr(Config, alias)()
    assert hash(config) == hash(getattr(Config, alias)())
    assert (config.num_cores, config.block_size, config.clock_mhz) == (cores, block, clock)
    assert config.weight_store_depth == depth
    assert config.weight_capacity == cores * depth * block * block
    assert config.name == preset and preset in repr(config)
    assert config.io_size == block
    for attribute in ATTRIBUTES:
        assert getattr(config, attribute) >= 1, attribute


def test_attributes_are_read_only():
    with pytest.raises(AttributeError):
        Config.amd_v80_c6b32().num_cores = 3  # type: ignore[misc]


def test_constructor():
    config = Config(num_cores=6, block_size=32)
    assert (config.num_cores, config.block_size, config.fabric, config.clock_mhz) == (6, 32, "agilex", 320)
    assert config != Config(num_cores=5, block_size=32)
    assert Config(1, 8, fabric="Versal SG3").clock_mhz == 330
    assert Config(1, 8, fabric="generic", clock_mhz=100).clock_mhz == 100
    assert Config(1, 8, weight_store_depth=64, name="mine").weight_store_depth == 64


@pytest.mark.parametrize(
    "arguments, says",
    [
        ({"num_cores": 0, "block_size": 32}, ["num_cores = 0", "1 to 16"]),
        ({"num_cores": 1, "block_size": 24}, ["block_size = 24", "power of two"]),
        ({"num_cores": 1, "block_size": 32, "fabric": "cyclone"}, ["cyclone", "agilex", "versal-sg2"]),
        ({"num_cores": 1, "block_size": 32, "fabric": "generic"}, ["clock_mhz"]),
        ({"num_cores": 1, "block_size": 32, "name": "no spaces"}, ["no spaces", "letters"]),
        ({"num_cores": 1, "block_size": 32, "tensor_ram_depth": 100}, ["tensor_ram_depth = 100", "power of two"]),
    ],
)
def test_bad_configurations_name_field_and_limit(arguments, says):
    with pytest.raises(ValueError) as error:
        Config(**arguments)
    for text in says:
        assert text in str(error.value)


def test_ip_core():
    config = Config.ip_core(num_cores=2, block_size=16)
    assert (config.num_cores, config.block_size, config.io_size) == (2, 16, 16)
    with pytest.raises(ValueError, match="block_size = 7"):
        Config.ip_core(1, 7)


def test_named_presets():
    assert "c2b8" in Config.presets()
    for name in Config.presets():
        assert Config.preset(name).name == name
    with pytest.raises(ValueError, match="c2b8"):
        Config.preset("c9b9")


def test_files(tmp_path):
    path = tmp_path / "board.json"
    config = Config(3, 16, weight_store_depth=100)
    config.save(str(path))
    assert Config.load(path) == config
    newer = path.read_text().replace('"format_version": 2', '"format_version": 99')
    path.write_text(newer)
    with pytest.raises(ValueError, match="99"):
        Config.load(path)
    assert Config.load(path, check_version_matches=False) == config
    path.write_text(newer.replace('"num_cores": 3', '"num_cores": 300'))
    with pytest.raises(ValueError, match="num_cores = 300"):
        Config.load(path, False)
    path.write_text("not json")
    with pytest.raises(ValueError, match="board.json"):
        Config.load(path)
    with pytest.raises(FileNotFoundError, match="missing.json"):
        Config.load(tmp_path / "missing.json")
    with pytest.raises(vollo_compiler.SaveError, match="nowhere"):
        config.save(tmp_path / "nowhere" / "board.json")
