from tier_kit.language import choose


def test_the_choice_of_the_moment_beats_memory_and_preference() -> None:
    assert choose(query="en", cookie="zh-CN", accept_language="zh") == "en"


def test_a_remembered_choice_beats_the_browsers_preference() -> None:
    assert choose(cookie="en", accept_language="zh-CN,zh;q=0.9") == "en"


def test_a_foreign_value_is_passed_over() -> None:
    assert choose(query="../etc", cookie="xx", accept_language="en-GB") == "en"


def test_the_highest_quality_wins() -> None:
    assert choose(accept_language="en;q=0.3, zh-TW;q=0.8") == "zh-CN"
    assert choose(accept_language="zh;q=0, en;q=0.1") == "en"


def test_a_header_nobody_can_read_gives_chinese() -> None:
    for header in ("", ";;;", "fr", "q=1", "en;q=x", "," * 9999):
        assert choose(accept_language=header) == "zh-CN"
