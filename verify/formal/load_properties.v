// SPDX-License-Identifier: MIT
// load_properties - mlp_load and two memories of weights answer as one network, old or new
//
// Frames of any bytes and lengths, vectors in the layers, stalls and resets are free. The solver
// picks a bit of the frame; the word that holds it is read in every cycle. A checksum is right where
// the CRC of the whole frame is the residue; that zlib's CRC-32 is so is left to the bench.

`default_nettype none

module load_properties #(
    parameter WIDTH_A = 10,
    parameter DEPTH_A = 1,
    parameter WIDTH_B = 3,
    parameter DEPTH_B = 2
) (
    input wire       clk,
    input wire       rst,
    input wire       load_valid,
    input wire       load_last,
    input wire [7:0] load_byte,
    input wire       in_valid,
    input wire       out_ready,
    input wire       waits,
    input wire       enters,
    input wire       leaves
);

    localparam PARTS_A = (WIDTH_A + 7) / 8, BYTES_A = PARTS_A * DEPTH_A;
    localparam PARTS_B = (WIDTH_B + 7) / 8, BYTES   = BYTES_A + PARTS_B * DEPTH_B;
    localparam ADDR_A  = DEPTH_A > 1 ? $clog2(DEPTH_A) : 1;
    localparam ADDR_B  = DEPTH_B > 1 ? $clog2(DEPTH_B) : 1;
    localparam COUNT_W = $clog2(BYTES + 6);
    localparam MOST    = 12'd4095;          // vectors in the layers, as the header of mlp_load says

    (* anyconst *) wire [COUNT_W-1:0] picked;   // byte of the frame, and a bit of it
    (* anyconst *) wire [2:0]         place;

    wire               load_ready, done, refused, in_ready, out_valid, full_a, full;
    wire [10:0]        load;
    wire [WIDTH_A-1:0] data_a;
    wire [WIDTH_B-1:0] data_b;

    wire                in_a   = picked < BYTES_A;
    wire [COUNT_W-1:0]  behind = picked - BYTES_A;
    wire [ADDR_A-1:0]   addr_a = in_a ? picked / PARTS_A : 0;
    wire [ADDR_B-1:0]   addr_b = in_a ? 0 : behind / PARTS_B;

    mlp_load #(.LOADABLE(1)) u_dut (
        .clk(clk), .rst(rst), .s_load_tvalid(load_valid), .s_load_tready(load_ready),
        .s_load_tlast(load_last), .s_load_tdata(load_byte), .done(done), .refused(refused),
        .load(load), .full(full), .in_valid(in_valid), .in_ready(in_ready),
        .out_valid(out_valid), .out_ready(out_ready), .waits(waits), .enters(enters),
        .leaves(leaves)
    );

    mlp_loadable_rom #(.WIDTH(WIDTH_A), .DEPTH(DEPTH_A), .LOADABLE(1)) u_a (
        .clk(clk), .en(1'b1), .addr(addr_a), .data(data_a), .load({1'b1, load}), .load_full(full_a)
    );

    mlp_loadable_rom #(.WIDTH(WIDTH_B), .DEPTH(DEPTH_B), .LOADABLE(1)) u_b (
        .clk(clk), .en(1'b1), .addr(addr_b), .data(data_b), .load({full_a, load}), .load_full(full)
    );

    function [31:0] crc_of(input [31:0] crc, input [7:0] value);
        integer i;
        begin
            crc_of = crc ^ value;
            for (i = 0; i < 8; i = i + 1)
                crc_of = (crc_of >> 1) ^ (crc_of[0] ? 32'hEDB88320 : 32'd0);
        end
    endfunction

    reg               started = 1'b0, read = 1'b0;
    reg               valid, last;          // a byte was taken in the cycle before; it was the last
    reg [7:0]         value;
    reg [COUNT_W-1:0] count;                // bytes of its frame in front of it, BYTES + 4 for more
    reg [31:0]        crc = 32'd0;          // of the bytes in front of it
    reg               refuses, pending;     // a wrong frame is to be refused, a right one done
    reg               coming, answer;       // the picked bit, of the last frame and of what answers
    reg               known;
    reg [11:0]        inside = 12'd0;             // vectors in the layers
    reg               was_quiet, was_done, was_bank, stalled, refused_beat, was_reset;
    reg [1:0]         late;
    reg [WIDTH_A-1:0] was_a;
    reg [WIDTH_B-1:0] was_b;

    wire        good  = count == BYTES + 3 && crc_of(crc, load[7:0]) == 32'hDEBB20E3;
    wire        ended = valid && last;
    wire        held  = in_valid && !out_valid;

    // The picked byte, as it is read, and its bits that exist.
    wire [7:0] shown = in_a ? data_a >> 8 * (picked % PARTS_A) : data_b >> 8 * (behind % PARTS_B);
    wire [7:0] exist = in_a ? {WIDTH_A{1'b1}} >> 8 * (picked % PARTS_A)
                            : {WIDTH_B{1'b1}} >> 8 * (behind % PARTS_B);

    always @(posedge clk) begin
        started      <= 1'b1;
        read         <= started;
        was_reset    <= rst;
        was_quiet    <= inside == 0 && !waits && !out_valid;
        was_done     <= done;
        was_bank     <= load[10];
        was_a        <= data_a;
        was_b        <= data_b;
        stalled      <= out_valid && !out_ready && !rst;
        refused_beat <= in_valid && !in_ready && !rst;

        valid <= !rst && load_valid && load_ready;
        last  <= load_last;
        value <= load_byte;
        if (valid && count == picked)
            coming <= value[place];
        if (done)
            answer <= coming;
        known <= started && (known || done);

        if (rst || ended)
            count <= 0;
        else if (valid)
            count <= count == BYTES + 4 ? count : count + 1'b1;
        if (load[9])
            crc <= ~32'd0;
        else if (load[8])
            crc <= crc_of(crc, load[7:0]);
        refuses <= !rst && ended && !good;
        pending <= !rst && ((ended && good) || (pending && !done));
        inside  <= rst ? 12'd0 : inside + enters - leaves;
        late    <= !rst && pending && !done && inside == 0 && !waits && (out_ready || !in_valid)
                   ? late + 1'b1 : 0;

        assume (picked < BYTES);
        if (!started) begin
            assume (rst);
        end else begin
            assume (!enters || (waits && inside != MOST));
            assume (!leaves || inside != 0);
            assume (in_valid || !refused_beat);

            bytes_go_to_the_memories: assert (load[9:8] == {rst || ended, valid});
            if (valid)
                each_as_it_came: assert (load[7:0] == value);
            if (read && !was_done)
                what_answers_is_never_written: assert (data_a == was_a && data_b == was_b);
            if (known)
                answers_are_of_one_frame: assert (shown[place] == answer || !exist[place]);
            if (done)
                turns_after_a_whole_right_frame: assert (pending);
            turns_when_done: assert ((load[10] != was_bank) == done);
            if (done)
                turns_between_vectors: assert (was_quiet);
            refuses_all_others: assert (refused == refuses);
            takes_unless_one_is_pending: assert (load_ready == !(ended || (pending && !done)));
            if (held || in_ready != out_ready)
                holds_back_only_while_one_is_pending: assert (pending && !out_valid && !in_ready);
            if (out_valid)
                no_beat_is_invented: assert (in_valid);
            if (stalled)
                stable_while_stalled: assert (out_valid);
            nobody_waits_forever: assert (late != 2'd3);
            if (was_reset)
                reset_forgets_a_frame: assert (load_ready && !done && !refused && !load[8]);
        end
    end

endmodule

`default_nettype wire
