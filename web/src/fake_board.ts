// What the program's hello says of a PyPortal, for working without the program.

import file from "../../boards/pyportal.json";

export const fakeBoard = {
    id: "pyportal",
    name: "Adafruit PyPortal",
    chip: "samd51j20",
    picture: file.picture,
    display: { chip: "display", width: 320, height: 240 },
    parts: [
        { id: "display", type: "ili9341", title: "Display", knobs: [] },
        { id: "touch", type: "resistive_touch", title: "Touch panel", knobs: [{ name: "touch", kind: "touch" }] },
        {
            id: "wifi",
            type: "esp32_nina",
            title: "ESP32 Wi-Fi",
            knobs: [
                { name: "wifi", kind: "bool", label: "Wi-Fi", value: true },
                { name: "rssi", kind: "number", label: "Signal", unit: "dBm", min: -95, max: -30, step: 1, value: -52 },
            ],
        },
        {
            id: "light",
            type: "light_sensor",
            title: "Light sensor",
            knobs: [{ name: "lux", kind: "number", label: "Light", unit: "lx", min: 0, max: 1000, step: 1, value: 180 }],
        },
        {
            id: "temperature",
            type: "adt7410",
            title: "Thermometer",
            knobs: [{ name: "celsius", kind: "number", label: "Temperature", unit: "°C", min: -20, max: 60, step: 0.1, value: 22.4 }],
        },
        { id: "neopixel", type: "neopixel", title: "NeoPixel", knobs: [] },
        { id: "led", type: "led", title: "LED D13", knobs: [] },
    ],
};
